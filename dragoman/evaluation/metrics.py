"""Metrics of a suite from its outcomes: pure functions over `Outcome`s.

Translation: corpus chrF and exact match over the greedy responses; the off-target ratio (arXiv 2403.14399:
1 minus the share of responses in the target language), and which language came instead (the source's, or
English). Math and code: share of greedy responses with full marks. Constraints: share of rows with every
constraint kept (`strict`) and mean share of constraints kept (`share`). Every suite: mean rewards, rows,
and how many rewards could not be computed; those are counted as errors and left out, never taken as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dragoman.evaluation.chrf import corpus_chrf
from dragoman.evaluation.outcomes import Metrics, Outcome, SuiteResult

PRIMARY = {"translation": "chrf", "math": "accuracy", "code": "pass_at_1", "constraints": "strict"}
"""The metric that stands for a suite of a task."""


def primary_metric(task: str) -> str:
    """The name of the metric that stands for a task; the greedy reward for a task of the user's own."""
    return PRIMARY.get(task, "reward_greedy")


def mean(values: Iterable[float | bool | None]) -> float | None:
    """Mean of the known values; None when there is none."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _language_share(outcomes: Sequence[Outcome], language: Callable[[Outcome], str | None]) -> float | None:
    """Share of decided responses that are off target and in another given language."""
    decided = [o for o in outcomes if o.on_target is not None]
    return mean(not o.on_target and o.detected == language(o) for o in decided)


def translation_metrics(outcomes: Sequence[Outcome]) -> Metrics:
    """Quality and language of greedy translations."""
    responses, references = [o.response for o in outcomes], [o.reference for o in outcomes]
    off_target = mean(None if o.on_target is None else not o.on_target for o in outcomes)
    return {
        "chrf": corpus_chrf(responses, references),
        "exact_match": mean(o.response.strip() == o.reference.strip() for o in outcomes),
        "off_target": off_target,
        "source_share": _language_share(outcomes, lambda o: o.source_language),
        "english_share": _language_share(outcomes, lambda o: "en"),
        "undecided": float(sum(o.on_target is None for o in outcomes)),
    }


def _task_metrics(task: str, outcomes: Sequence[Outcome]) -> Metrics:
    if task == "translation":
        return translation_metrics(outcomes)
    if task == "constraints":
        return {"strict": mean(o.correct for o in outcomes), "share": mean(o.share for o in outcomes)}
    return {primary_metric(task): mean(o.correct for o in outcomes)} if task in PRIMARY else {}


def metrics_of(task: str, outcomes: Sequence[Outcome]) -> Metrics:
    """Every metric of some outcomes of one task."""
    errors = sum(o.reward is None for o in outcomes) + sum(o.sample_errors for o in outcomes)
    return {
        **_task_metrics(task, outcomes),
        "reward_greedy": mean(o.reward for o in outcomes),
        "reward_sampled": mean(o.sampled_reward for o in outcomes),
        "n": float(len(outcomes)),
        "errors": float(errors),
    }


def _grouped(outcomes: Sequence[Outcome], group: Callable[[Outcome], str | None]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        name = group(outcome)
        if name:
            groups.setdefault(name, []).append(outcome)
    return groups


def suite_result(name: str, task: str, outcomes: Sequence[Outcome]) -> SuiteResult:
    """Metrics of a suite, of each direction in it, and of each kind of hold-out."""
    directions = _grouped(outcomes, lambda outcome: outcome.direction)
    heldout = _grouped(outcomes, lambda outcome: outcome.heldout)
    return SuiteResult(
        name=name,
        task=task,
        metrics=metrics_of(task, outcomes),
        by_direction={key: metrics_of(task, rows) for key, rows in directions.items()},
        by_heldout={key: metrics_of(task, rows) for key, rows in heldout.items()},
    )
