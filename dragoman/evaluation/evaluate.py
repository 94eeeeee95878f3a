"""Evaluate a model on suites: generate, score, judge, summarise.

    suites -> generate(prompts) -> scores of the answers -> Outcome per prompt -> metrics per suite

The caller brings the model (`generate`: for each prompt n answers, the first greedy, the others sampled at temperature
1) and the scorer. Both are called for slices of the prompts, all at once: the verifiers work on one slice while the
engines answer the next. A slice takes prompts from every suite, so that slow checks (code) are spread over the whole
time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from dragoman.data.rows import Prompt
from dragoman.evaluation.metrics import suite_result
from dragoman.evaluation.outcomes import Evaluation, Outcome, Sampled, StageTitle
from dragoman.evaluation.suites import Suite
from rewards.records import Score, Scorer

Generate = Callable[[Sequence[Prompt]], Awaitable[list[list[str]]]]
Bits = Callable[[Sequence[str]], Awaitable[list[float | None]]]
"""-log2 p of texts; None for one that the model cannot read"""
ROWS_PER_SLICE = 64


@dataclass(frozen=True)
class Answered:
    """A prompt with its answers and their scores, greedy first."""

    suite: Suite
    prompt: Prompt
    answers: tuple[str, ...]
    scores: tuple[Score, ...]
    measured: Score | None
    """What the task measures beside the reward of the greedy answer"""


async def evaluate(
    suites: Sequence[Suite], generate: Generate, scorer: Scorer, stage: StageTitle, bits: Bits | None = None
) -> Evaluation:
    """Evaluate a model on all suites; with `bits` also how well it predicts the references of translations.

    Raises ValueError when `generate` or the scorer does not answer every prompt, or an id repeats. A reward
    that could not be computed is counted as an error of its suite and left out of every mean.
    """
    asked = [(suite, prompt) for suite in suites for prompt in suite.prompts]
    _check_ids([prompt for _, prompt in asked])
    slices = max(1, round(len(asked) / ROWS_PER_SLICE))
    found = await asyncio.gather(*(_answer(asked[k::slices], generate, scorer) for k in range(slices)))
    outcomes = [_outcome(found[i % slices][i // slices]) for i in range(len(asked))]
    if bits is not None:
        outcomes = await _with_bits(outcomes, {suite.name for suite in suites if suite.task.translates}, bits)
    results = tuple(
        suite_result(suite.name, suite.task_name, [o for o in outcomes if o.suite == suite.name]) for suite in suites
    )
    return Evaluation(stage, results, tuple(outcomes))


async def _answer(asked: Sequence[tuple[Suite, Prompt]], generate: Generate, scorer: Scorer) -> list[Answered]:
    """One slice."""
    prompts = [prompt for _, prompt in asked]
    responses = await generate(prompts)
    _check_count("generate", len(responses), len(prompts))
    for prompt, answers in zip(prompts, responses, strict=True):
        if not answers:
            raise ValueError(f"generate returned no response for row {prompt.id!r}: return at least one")
    wanted = [(prompt, text) for prompt, answers in zip(prompts, responses, strict=True) for text in answers]
    scores = await scorer.score_many(wanted)
    _check_count("score_many", len(scores), len(wanted))
    for (prompt, _), score in zip(wanted, scores, strict=True):
        if score.id != prompt.id:
            raise ValueError(f"score_many returned the score of {score.id!r} for {prompt.id!r}: keep the order")
    measured = await _measure(asked, [answers[0] for answers in responses], scorer)
    left = iter(scores)
    return [
        Answered(suite, prompt, tuple(answers), tuple(next(left) for _ in answers), measured.get(prompt.id))
        for (suite, prompt), answers in zip(asked, responses, strict=True)
    ]


async def _measure(asked: Sequence[tuple[Suite, Prompt]], greedy: Sequence[str], scorer: Scorer) -> dict[str, Score]:
    """By prompt id, the greedy answers under the measures of their tasks."""
    wanted = [
        (replace(prompt, specs=specs), answer)
        for (suite, prompt), answer in zip(asked, greedy, strict=True)
        if (specs := suite.task.measures(prompt))
    ]
    scores = await scorer.score_many(wanted) if wanted else []
    return {prompt.id: score for (prompt, _), score in zip(wanted, scores, strict=True)}


async def _with_bits(outcomes: Sequence[Outcome], suites: Collection[str], bits: Bits) -> list[Outcome]:
    """Each text is read once, however many rows have it as their reference."""
    texts = sorted({outcome.reference for outcome in outcomes if outcome.suite in suites and outcome.reference})
    known = dict(zip(texts, await bits(texts), strict=True)) if texts else {}
    return [replace(o, reference_bits=known.get(o.reference)) if o.suite in suites else o for o in outcomes]


def _outcome(found: Answered) -> Outcome:
    """Everything about one prompt: its greedy answer judged, its samples scored."""
    prompt, greedy, score = found.prompt, found.answers[0], found.scores[0]
    judged = found.suite.task.judge(prompt, greedy, score)
    correct = found.suite.task.sample_correct
    measured = found.measured.components if found.measured else ()
    sampled = tuple(
        Sampled(a, s.reward, correct(prompt, a, s)) for a, s in zip(found.answers[1:], found.scores[1:], strict=True)
    )
    return Outcome(
        id=prompt.id,
        suite=found.suite.name,
        task=prompt.task,
        heldout=prompt.heldout,
        cluster=prompt.cluster,
        prompt=prompt.question,
        reference=prompt.reference,
        response=greedy,
        reward=score.reward,
        components=score.components,
        samples=sampled,
        sample_errors=sum(sample.reward is None for sample in sampled),
        source=prompt.pair.source if prompt.pair else "",
        more_references=prompt.more_references,
        **vars(judged),
        measures={c.kind: c.value for c in measured},
        marks=tuple(c for c in measured if c.spans),
    )


def _check_count(what: str, got: int, wanted: int) -> None:
    if got != wanted:
        raise ValueError(f"{what} returned {got} results for {wanted} rows: return one for each row, in order")


def _check_ids(prompts: Sequence[Prompt]) -> None:
    ids = [prompt.id for prompt in prompts]
    name, times = Counter(ids).most_common(1)[0] if ids else (None, 0)
    if times > 1:
        raise ValueError(f"id {name!r} occurs {times} times in the suites: give every row an id of its own")
