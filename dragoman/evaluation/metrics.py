"""Metrics of a suite from its outcomes: those of its task, and those that every suite has.

Every suite: mean rewards, rows, and how many rewards could not be computed; those are counted as errors and left out,
never taken as 0.
"""

from collections.abc import Callable, Sequence

from dragoman.evaluation.outcomes import Metrics, Outcome, SuiteResult, mean
from dragoman.evaluation.tasks import find_task


def metrics_of(task: str, outcomes: Sequence[Outcome]) -> Metrics:
    """Every metric of some outcomes of one task."""
    errors = sum(o.reward is None for o in outcomes) + sum(o.sample_errors for o in outcomes)
    return {
        **find_task(task).metrics(outcomes),
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
