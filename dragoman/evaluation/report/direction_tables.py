"""Every translation direction of every suite: a heat map of a metric through the stages.

The page lays the same cells out as a table of sources and targets when one stage is chosen (template/tables.js).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dragoman.evaluation.comparison import all_suites, suite_name
from dragoman.evaluation.outcomes import Evaluation, SuiteResult
from dragoman.evaluation.tasks import find_task
from dragoman.evaluation.tasks.base import Unit

Ends = Mapping[str | None, tuple[str | None, str | None]]
"""A direction's source and target: "en-zh-Hans" alone does not say where it is to be cut"""
METRIC_LIMIT = 4
"""Metrics of a suite that have a heat map"""


@dataclass(frozen=True)
class HeatCell:
    """A value and its share of the scale, 0 to 1."""

    text: str
    heat: float


@dataclass(frozen=True)
class DirectionRow:
    """A direction through the stages."""

    source: str
    target: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class DirectionTable:
    """A metric of a suite's directions."""

    metric: str
    """What chooses it on the page"""
    name: str
    good: bool
    """Whether much of it is good"""
    rows: tuple[DirectionRow, ...]


@dataclass(frozen=True)
class SuiteDirections:
    """A suite with more than one direction."""

    suite: str
    tables: tuple[DirectionTable, ...]

    @property
    def count(self) -> int:
        """Its directions."""
        return len(self.tables[0].rows)


@dataclass(frozen=True)
class _Metric:
    name: str
    title: str
    unit: Unit
    good: bool
    value: Callable[[SuiteResult, str], float | None]


def direction_tables(evaluations: Sequence[Evaluation]) -> list[SuiteDirections]:
    """Suites in order, each with its first metrics that are known by direction."""
    found = []
    for suite in all_suites(evaluations):
        results = [evaluation.suite(suite.name) for evaluation in evaluations]
        ends = {
            o.direction: (o.source_language, o.target_language)
            for evaluation in evaluations for o in evaluation.outcomes_of(suite.name)
        }  # fmt: skip
        tables = tuple(_table(metric, results, ends) for metric in _metrics(results)[:METRIC_LIMIT])
        if tables:
            found.append(SuiteDirections(suite_name(suite.name), tables))
    return found


def metrics_shown(suites: Sequence[SuiteDirections]) -> list[DirectionTable]:
    """One table of each metric, for the page to choose among."""
    return list({table.metric: table for suite in suites for table in suite.tables}.values())


def _metrics(results: Sequence[SuiteResult | None]) -> list[_Metric]:
    """Those that a direction has a value of: the suite's headline, whether it is on target, and the rest."""
    known = [result for result in results if result]
    measured = {m.name: m for result in known for values in result.measured_by_direction.values() for m in values}
    found = [
        _Metric(m.name, m.title or m.name, m.unit, m.higher_is_better, _measured(m.name)) for m in measured.values()
    ]
    for column in find_task(known[0].task).columns:
        if column.metric not in measured:
            value = _own(column.metric)
            found.append(_Metric(column.metric, column.name, column.unit, column.higher_is_better, value))
    there = [m for m in found if any(m.value(r, d) is not None for r in known for d in _directions([r]))]
    return there[:1] + sorted(there[1:], key=lambda metric: not metric.name.startswith("off_target"))


def _measured(name: str) -> Callable[[SuiteResult, str], float | None]:
    def value(result: SuiteResult, direction: str) -> float | None:
        return next((m.value for m in result.measured_by_direction.get(direction, ()) if m.name == name), None)

    return value


def _own(name: str) -> Callable[[SuiteResult, str], float | None]:
    return lambda result, direction: result.by_direction.get(direction, {}).get(name)


def _directions(results: Sequence[SuiteResult | None]) -> list[str]:
    names = (name for result in results if result for name in (*result.by_direction, *result.measured_by_direction))
    return list(dict.fromkeys(names))


def _table(metric: _Metric, results: Sequence[SuiteResult | None], ends: Ends) -> DirectionTable:
    by_direction = {
        name: [metric.value(result, name) if result else None for result in results] for name in _directions(results)
    }
    top = {"score": 100.0, "percent": 1.0}.get(metric.unit) or max(
        (abs(value) for values in by_direction.values() for value in values if value is not None), default=1.0
    )
    rows = []
    for name, values in by_direction.items():
        source, target = ends.get(name, (name.partition("-")[0], name.partition("-")[2]))
        rows.append(
            DirectionRow(str(source), str(target), tuple(_cell(value, metric.unit, top or 1.0) for value in values))
        )
    return DirectionTable(metric.name, metric.title, metric.good, tuple(rows))


def _cell(value: float | None, unit: Unit, top: float) -> HeatCell:
    if value is None:
        return HeatCell("–", 0.0)
    shown = f"{value:.2f}" if unit == "reward" else f"{value * (100 if unit == 'percent' else 1):.0f}"
    return HeatCell(shown, round(min(1.0, max(0.0, value / top)), 3))
