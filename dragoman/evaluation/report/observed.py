"""The observatory's curves: what a run optimises beside what it does not, and how its answers look."""

from collections.abc import Sequence

from dragoman.evaluation.observatory.series import Series
from dragoman.evaluation.observatory.watch import Observation
from dragoman.evaluation.report.charts import SERIES_LIMIT, Chart, Curve, learning_curve

REWARDS = 2
"""Rewards drawn beside the metrics: the mean, and the first of a kind or task"""
PARTING = "rewards, and metrics that nothing optimises (dashed)"
ANSWERS = "signs of hacking in the sampled answers"


def observed_charts(found: Observation, prefix: str = "observed") -> list[Chart]:
    """Up to two drawings; what has fewer than two points is left out, what an alarm names comes first."""
    named = {alarm.worse.series.name for alarm in found.alarms}
    drawn = sorted((one for one in found.series if len(one.steps) > 1), key=lambda one: one.name not in named)
    rewards = sorted((one for one in drawn if one.role == "reward"), key=lambda one: one.name != "reward_mean")
    disjoint = [one for one in drawn if one.role == "disjoint"]
    answers = [one for one in drawn if one.role == "indicator" and one.unit == "percent"]
    kept = rewards[: REWARDS if disjoint else SERIES_LIMIT]
    panels = [(PARTING, kept + disjoint[: SERIES_LIMIT - len(kept)]), (ANSWERS, answers[:SERIES_LIMIT])]
    return [
        learning_curve(title, curves(members), f"{prefix}{number}", {m.title for m in members if m.role == "disjoint"})
        for number, (title, members) in enumerate(panels)
        if members
    ]


def curves(members: Sequence[Series]) -> list[Curve]:
    """All on one scale: chrF and its like by the hundred."""
    scale = {"score": 100.0, "percent": 1.0, "reward": 1.0}
    return [Curve(m.title, m.steps, tuple(value / scale[m.unit] for value in m.values)) for m in members]
