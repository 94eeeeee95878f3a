"""Metrics of every suite through stages or runs, in groups that fold to their first metric.

A suite's first metric stands for it: folded, a page of thirty suites is a table of thirty lines. Its cells have a 95 %
interval over the choice of rows, drawn on a scale that the row's stages share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from dragoman.evaluation.comparison import Column, columns_of
from dragoman.evaluation.intervals import Interval, interval_of
from dragoman.evaluation.outcomes import Evaluation

FOLDED_FROM = 9
"""With so many suites a page begins folded"""


@dataclass(frozen=True)
class Bar:
    """A value and its interval as shares of a scale, 0 to 1."""

    low: float
    at: float
    high: float
    text: str
    """In words, for who does not see it"""


@dataclass(frozen=True)
class Cell:
    """A metric of one stage, its change, whether that is good, and its interval."""

    text: str
    change: str
    verdict: str
    bar: Bar | None = None


@dataclass(frozen=True)
class MetricRow:
    """A metric through the stages."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class MetricGroup:
    """A suite; its first row stands for it."""

    suite: str
    rows: tuple[MetricRow, ...]


def metric_groups(evaluations: Sequence[Evaluation], *, against_first: bool = False) -> list[MetricGroup]:
    """Every suite in order; a change is from the evaluation before, or from the first one."""
    return [
        MetricGroup(
            group, tuple(_row(c, evaluations, against_first, place == 0) for place, c in enumerate(columns))
        )
        for group, columns in groupby(columns_of(evaluations), key=lambda column: column.group)
    ]  # fmt: skip


def _row(column: Column, evaluations: Sequence[Evaluation], against_first: bool, drawn: bool) -> MetricRow:
    values = [column.value(evaluation) for evaluation in evaluations]
    before = [None, *([values[0]] * (len(values) - 1) if against_first else values[:-1])]
    bars = _bars(column, evaluations, values) if drawn else [None] * len(values)
    cells = tuple(
        Cell(column.text(value), column.change(parent, value), column.verdict(parent, value), bar)
        for parent, value, bar in zip(before, values, bars, strict=True)
    )
    return MetricRow(column.label(evaluations), cells)


def _bars(column: Column, evaluations: Sequence[Evaluation], values: Sequence[float | None]) -> list[Bar | None]:
    found = [interval_of(column.suite, column.metric, evaluation) for evaluation in evaluations]
    known = [end for ends in found if ends for end in ends] + [value for value in values if value is not None]
    if not any(found):
        return [None] * len(values)
    low, width = min(known), (max(known) - min(known)) or 1.0
    return [
        None if ends is None or value is None else _bar(column, ends, value, low, width)
        for ends, value in zip(found, values, strict=True)
    ]


def _bar(column: Column, ends: Interval, value: float, low: float, width: float) -> Bar:
    text = f"95 % interval {column.text(ends[0])} to {column.text(ends[1])}"
    start, at, end = (round((place - low) / width, 3) for place in (ends[0], value, ends[1]))
    return Bar(start, at, end, text)
