"""Evaluate a model on suites: generate, score, judge the language, summarise.

    suites -> generate(rows) -> score_many(rows with a response) -> Outcome per row -> metrics per suite

The caller brings the model (`generate`: for each row n responses, the first greedy, the others sampled at
temperature 1) and the scorer (`score_many`, for instance `RewardPools.score_many`). Both are called for slices of the
rows, all at once: the verifiers work on one slice while the engines answer the next. A slice takes rows from every
suite, so that slow checks (code) are spread over the whole time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dragoman.evaluation.metrics import suite_result
from dragoman.evaluation.outcomes import Evaluation, Outcome, Sampled
from dragoman.evaluation.suites import Row, Suite
from dragoman.text.identification import is_on_target
from rewards.records import RewardResult, Score

Generate = Callable[[Sequence[Row]], Awaitable[list[list[str]]]]
ScoreMany = Callable[[Sequence[Row]], Awaitable[list[Score]]]

CHECKED_BY = {"math": "math", "code": "code", "constraints": "constraints"}
"""Task -> the reward kind whose value decides whether an answer is right."""
FULL_MARKS = 1 - 1e-9
ROWS_PER_SLICE = 64


def _check_lengths(what: str, got: int, wanted: int) -> None:
    if got != wanted:
        raise ValueError(f"{what} returned {got} results for {wanted} rows: return one for each row, in order")


def _to_score(rows: Sequence[Row], responses: Sequence[Sequence[str]]) -> list[Row]:
    """One row to score for each response, with an id of its own."""
    return [
        {**row, "id": f"{row['id']}#{number}", "response": response}
        for row, answers in zip(rows, responses, strict=True)
        for number, response in enumerate(answers)
    ]


def _checked_value(task: str, components: Sequence[RewardResult]) -> float | None:
    """The value of the task's own check; None when it failed or there is none."""
    values = [c.value for c in components if c.kind == CHECKED_BY.get(task)]
    return values[0] if values else None


def _language_fields(row: Row, response: str) -> dict[str, Any]:
    """Languages of a translation row; a response without letters is off target."""
    source, target = str(row["source_language"]), str(row["target_language"])
    judged = is_on_target(response, target, source)
    no_letters = judged.on_target is None and judged.detected == "und"
    return {
        "source_language": source,
        "target_language": target,
        "on_target": False if no_letters else judged.on_target,
        "detected": judged.detected,
    }


def _outcome(suite: str, row: Row, responses: Sequence[str], scores: Sequence[Score]) -> Outcome:
    """Everything about one row: its greedy response judged, its samples scored."""
    task, reference, greedy = str(row["task"]), str(row["reference"]), responses[0]
    value = _checked_value(task, scores[0].components)
    is_translation = task == "translation"
    exact = greedy.strip() == reference.strip()
    sampled = tuple(Sampled(text, score.reward) for text, score in zip(responses[1:], scores[1:], strict=True))
    return Outcome(
        id=str(row["id"]),
        suite=suite,
        task=task,
        heldout=str(row.get("heldout", "")),
        cluster=str(row.get("cluster", "")),
        prompt=str(row["messages"][-1]["content"]),
        reference=reference,
        response=greedy,
        reward=scores[0].reward,
        correct=exact if is_translation else None if value is None else value >= FULL_MARKS,
        share=None if is_translation else value,
        components=tuple(component.to_dict() for component in scores[0].components),
        samples=sampled,
        sample_errors=sum(sample.reward is None for sample in sampled),
        **(_language_fields(row, greedy) if is_translation else {}),
    )


def _outcomes(suites: Sequence[Suite], responses: Sequence[Sequence[str]], scores: Sequence[Score]) -> list[Outcome]:
    """Outcomes in row order; scores are matched by id, never by position."""
    by_id = {score.id: score for score in scores}
    named = [(suite.name, row) for suite in suites for row in suite.rows]
    return [
        _outcome(name, row, answers, [by_id[f"{row['id']}#{number}"] for number in range(len(answers))])
        for (name, row), answers in zip(named, responses, strict=True)
    ]


async def _answer(
    rows: Sequence[Row], generate: Generate, score_many: ScoreMany
) -> tuple[list[list[str]], list[Score]]:
    """Responses of one slice, a list a row, and the scores of them all."""
    responses = await generate(rows)
    _check_lengths("generate", len(responses), len(rows))
    for row, answers in zip(rows, responses, strict=True):
        if not answers:
            raise ValueError(f"generate returned no response for row {row['id']!r}: return at least one")
    asked = _to_score(rows, responses)
    scores = await score_many(asked)
    _check_lengths("score_many", len(scores), len(asked))
    return responses, scores


def _check_ids(rows: Sequence[Row]) -> None:
    ids = [row["id"] for row in rows]
    name, times = Counter(ids).most_common(1)[0] if ids else (None, 0)
    if times > 1:
        raise ValueError(f"id {name!r} occurs {times} times in the suites: give every row an id of its own")


async def evaluate(
    suites: Sequence[Suite], generate: Generate, score_many: ScoreMany, *, stage: str = ""
) -> Evaluation:
    """Evaluate a model on all suites.

    Raises ValueError when `generate` or `score_many` does not answer every row, or an id repeats. A reward
    that could not be computed is counted as an error of its suite and left out of every mean.
    """
    rows = [row for suite in suites for row in suite.rows]
    _check_ids(rows)
    slices = max(1, round(len(rows) / ROWS_PER_SLICE))
    parts = await asyncio.gather(*(_answer(rows[k::slices], generate, score_many) for k in range(slices)))
    responses = [parts[i % slices][0][i // slices] for i in range(len(rows))]
    scores = [score for _, part in parts for score in part]
    outcomes = _outcomes(suites, responses, scores)
    results = tuple(
        suite_result(suite.name, suite.task, [o for o in outcomes if o.suite == suite.name]) for suite in suites
    )
    return Evaluation(stage, results, tuple(outcomes))
