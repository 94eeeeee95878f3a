"""Series over training steps, and what each is to the run: optimised, not optimised, the look of its answers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dragoman.evaluation.comparison import suite_name
from dragoman.evaluation.observatory.indicators import HUBS, INDICATORS, Bad
from dragoman.evaluation.observatory.worsening import P_WORSE
from dragoman.evaluation.run_logs import StepLine
from dragoman.evaluation.tasks import MetricColumn, find_column
from dragoman.evaluation.tasks.base import Unit

DEVELOPMENT = "development/"
KIND = "reward/"
REWARD_MEAN = "reward_mean"
LEAST: Mapping[Unit, float] = {"score": 1.0, "percent": 0.03, "reward": 0.05}
"""The smallest fall of a metric worth an alarm"""
Role = Literal["reward", "optimised", "disjoint", "indicator"]
"""reward: what the policy earns; optimised: a development metric of a trained reward kind; disjoint: of none"""


@dataclass(frozen=True)
class Series:
    """One figure over steps."""

    name: str
    title: str
    role: Role
    steps: tuple[float, ...]
    values: tuple[float, ...]
    unit: Unit = "reward"
    bad: Bad = "fall"
    least: float = 0.0
    p_worse: tuple[float | None, ...] = ()
    """Of each value, the p of "worse than the first one" by the rows (`worsening`); empty where the run logs none"""

    def text(self, value: float) -> str:
        """A value as tables show it."""
        return {"score": f"{value:.1f}", "percent": f"{100 * value:.1f} %", "reward": f"{value:.2f}"}[self.unit]


def series_of(
    lines: Sequence[StepLine], figures: Mapping[float, Mapping[str, float]], optimised: Collection[str] = ()
) -> list[Series]:
    """All series of a stage.

    lines: its metrics. figures: step -> indicator -> value. optimised: reward kinds that earlier stages trained on;
    those of this stage are told by its `reward/KIND` metrics.
    """
    points = _points((line.step, line.values) for line in lines)
    kinds = {name.removeprefix(KIND) for name in points if name.startswith(KIND)} | set(optimised)
    found = [_metric(name, at, kinds, points.get(f"{name}/{P_WORSE}", {})) for name, at in points.items()]
    looks = _points(figures.items())
    marks = [
        _series(one.name, one.title, "indicator", looks[one.name], one.unit, one.bad, one.least)
        for one in (*INDICATORS, HUBS)
        if one.name in looks
    ]
    return [*(one for one in found if one is not None), *marks]


def _points(lines: Iterable[tuple[float, Mapping[str, float]]]) -> dict[str, dict[float, float]]:
    found: dict[str, dict[float, float]] = {}
    for step, values in lines:
        for name, value in values.items():
            found.setdefault(name, {})[step] = value
    return found


def _metric(
    name: str, points: Mapping[float, float], kinds: Collection[str], p_worse: Mapping[float, float]
) -> Series | None:
    """None for what is neither reward nor a development metric."""
    if name == REWARD_MEAN:
        return _series(name, "reward, mean", "reward", points)
    if name.startswith(("reward_task/", KIND)):
        return _series(name, name.replace("reward_task/", "reward, ").replace(KIND, "reward "), "reward", points)
    _, _, rest = name.partition(DEVELOPMENT)
    suite, _, metric = rest.partition("/")
    column = find_column(metric) if name.startswith(DEVELOPMENT) else None
    if column is None:
        return None
    title = f"{column.name}, {suite_name(suite)}"
    bad: Bad = "fall" if column.higher_is_better else "rise"
    found = _series(name, title, _role(column, kinds), points, column.unit, bad)
    return replace(found, p_worse=tuple(p_worse.get(step) for step in found.steps)) if p_worse else found


def _role(column: MetricColumn, kinds: Collection[str]) -> Role:
    """A mean reward is optimised by whatever the kinds are."""
    return "optimised" if column.metric == "reward_greedy" or set(column.optimised_by) & set(kinds) else "disjoint"


def _series(
    name: str, title: str, role: Role, points: Mapping[float, float], unit: Unit = "reward", bad: Bad = "fall",
    least: float | None = None,
) -> Series:  # fmt: skip
    steps = tuple(sorted(points))
    values = tuple(points[step] for step in steps)
    return Series(name, title, role, steps, values, unit, bad, LEAST[unit] if least is None else least)
