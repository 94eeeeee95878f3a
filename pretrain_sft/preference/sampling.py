"""Answers of the parent policy to the preference prompts, scored and paired."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from dragoman.data.rows import DataError, EncodedPrompt
from dragoman.rollout import Sampler, SamplingSettings, sample_seed
from pretrain_sft.preference.pairs import Answer, Pair, ranked_pairs
from pretrain_sft.settings import PreferenceSettings
from rewards.records import Score, Scorer

ROWS_PER_SLICE = 64


async def sample_pairs(
    prompts: Sequence[EncodedPrompt],
    settings: PreferenceSettings,
    sampler: Sampler,
    scorer: Scorer,
    seed: int,
    max_error_share: float,
) -> list[Pair]:
    """Sample, score and pair; answers whose reward could not be computed or that were cut off are left out.

    Raises `DataError` with an example when more than `max_error_share` of the rewards could not be computed.
    """
    slices = max(1, round(len(prompts) / ROWS_PER_SLICE))
    found = await asyncio.gather(
        *(_sample_answers(prompts[k::slices], settings, sampler, scorer, seed) for k in range(slices))
    )
    _check_failures([score for _, scores in found for score in scores], max_error_share)
    pairs = []
    for i, encoded in enumerate(prompts):
        answers, name = found[i % slices][0][i // slices], encoded.prompt.id
        question = encoded.prompt.cluster or name  # other wordings of a held-out question are held out, too
        heldout = Random(f"{seed}/{question}").random() < settings.heldout_share
        most = len(answers) if heldout else settings.pairs_per_prompt
        ranked = ranked_pairs(answers, margin=settings.margin, minimum=settings.minimum_reward, most=most)
        pairs += [Pair(name, encoded.token_ids, best, other, heldout) for best, other in ranked]
    return pairs


async def _sample_answers(
    prompts: Sequence[EncodedPrompt], settings: PreferenceSettings, sampler: Sampler, scorer: Scorer, seed: int
) -> tuple[list[list[Answer]], list[Score]]:
    """For each prompt of one slice the answers that can be used, and all scores.

    The verifiers work on one slice while the engines answer the next.
    """
    wanted = [(i, k) for i in range(len(prompts)) for k in range(settings.samples)]
    completions = await sampler.generate_many(
        [prompts[i].token_ids for i, _ in wanted],
        SamplingSettings(settings.max_tokens, settings.temperature),
        [sample_seed(seed, prompts[i].prompt.id, k) for i, k in wanted],
    )
    scores = await scorer.score_many(
        [(prompts[i].prompt, done.text) for (i, _), done in zip(wanted, completions, strict=True)]
    )
    answers: list[list[Answer]] = [[] for _ in prompts]
    for (i, _), done, score in zip(wanted, completions, scores, strict=True):
        if score.reward is not None and done.finish_reason == "stop":
            answers[i].append(Answer(done.token_ids, done.text, score.reward))
    return answers, scores


def _check_failures(scores: Sequence[Score], max_error_share: float) -> None:
    failed = [score for score in scores if score.reward is None]
    if len(failed) > max_error_share * len(scores):
        why = "; ".join(f"{c.kind}: {c.status} ({c.detail})" for c in failed[0].failures)
        raise DataError(
            f"{len(failed)} of {len(scores)} rewards could not be computed (rewards.max_error_share is "
            f"{max_error_share:.0%}); for instance {failed[0].id}: {why}"
        )
