"""Answers of the parent policy to the preference prompts, scored."""

import asyncio
from collections.abc import Sequence

from cluster.progress import Progress
from dragoman.data.rows import DataError, EncodedPrompt
from dragoman.rollout import Sampler, SamplingSettings, sample_seed
from pretrain_sft.preference.pairs import Answer, SampledPrompt
from pretrain_sft.settings import PreferenceSettings
from rewards.records import Score, Scorer

ROWS_PER_SLICE = 64


async def sample_answers(
    prompts: Sequence[EncodedPrompt],
    settings: PreferenceSettings,
    sampler: Sampler,
    scorer: Scorer,
    seed: int,
    max_error_share: float,
) -> list[SampledPrompt]:
    """Sample and score; answers whose reward could not be computed are left out.

    Raises `DataError` with an example when more than `max_error_share` of the rewards could not be computed.
    """
    slices = max(1, round(len(prompts) / ROWS_PER_SLICE))
    progress = Progress("answers", len(prompts) * settings.samples)
    found = await asyncio.gather(
        *(_sample_slice(prompts[k::slices], settings, sampler, scorer, seed, progress) for k in range(slices))
    )
    progress.close()
    _check_failures([score for _, scores in found for score in scores], max_error_share)
    return [found[i % slices][0][i // slices] for i in range(len(prompts))]


async def _sample_slice(
    prompts: Sequence[EncodedPrompt], settings: PreferenceSettings, sampler: Sampler, scorer: Scorer, seed: int,
    progress: Progress,
) -> tuple[list[SampledPrompt], list[Score]]:  # fmt: skip
    """The prompts of one slice with their answers, and all scores.

    The verifiers work on one slice while the engines answer the next.
    """
    wanted = [(i, k) for i in range(len(prompts)) for k in range(settings.samples)]
    completions = await sampler.generate_many(
        [prompts[i].token_ids for i, _ in wanted],
        SamplingSettings(settings.max_tokens, settings.temperature, settings.top_p, settings.top_k, settings.bad_words),
        [sample_seed(seed, prompts[i].prompt.id, k) for i, k in wanted],
    )
    texts = [done.text for done in completions]
    grouped = [texts[start : start + settings.samples] for start in range(0, len(texts), settings.samples)]
    found = await asyncio.gather(*(scorer.score_group(e.prompt, g) for e, g in zip(prompts, grouped, strict=True)))
    scores = [score for group in found for score in group]
    progress.advance(len(wanted))
    ended: list[list[Answer]] = [[] for _ in prompts]
    cut: list[list[Answer]] = [[] for _ in prompts]
    for (i, _), done, score in zip(wanted, completions, scores, strict=True):
        if score.reward is not None:
            place = ended if done.finish_reason == "stop" else cut
            place[i].append(Answer(done.token_ids, done.text, score.reward))
    sampled = [
        SampledPrompt(e.prompt.id, e.prompt.cluster or e.prompt.id, e.token_ids, tuple(first), tuple(second))
        for e, first, second in zip(prompts, ended, cut, strict=True)
    ]
    return sampled, scores


def _check_failures(scores: Sequence[Score], max_error_share: float) -> None:
    failed = [score for score in scores if score.reward is None]
    if len(failed) > max_error_share * len(scores):
        why = "; ".join(f"{c.kind}: {c.status} ({c.detail})" for c in failed[0].failures)
        raise DataError(
            f"{len(failed)} of {len(scores)} rewards could not be computed (rewards.max_error_share is "
            f"{max_error_share:.0%}); for instance {failed[0].id}: {why}"
        )
