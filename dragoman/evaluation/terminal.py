"""Tables for the terminal: stages by figures with their change, and a stage against its parent.

console.print(stage_table(evaluations)); console.print(significance_table(parent, child))
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from dragoman.evaluation.comparison import (
    Column,
    Comparison,
    columns_of,
    compare,
    is_significant,
    p_text,
    rows_text,
    signed,
)
from dragoman.evaluation.outcomes import Evaluation

COLOURS = {"better": "green", "worse": "red", "same": "dim"}


def _cell(column: Column, evaluation: Evaluation, parent: Evaluation | None) -> Text:
    """A figure, and under it its change from the parent."""
    value = column.value(evaluation)
    before = column.value(parent) if parent else None
    text = Text(column.text(value), justify="right")
    change = column.change(before, value)
    if change:
        text.append(f"\n{change}", style=COLOURS[column.verdict(before, value)])
    return text


def stage_table(evaluations: Sequence[Evaluation]) -> Table:
    """One row per stage in the order given, one column per figure; percentages but for chrF and rewards."""
    table = Table(title="Evaluation by stage (change from the stage before)", show_lines=True)
    table.add_column("stage", style="bold")
    columns = columns_of(evaluations)
    for column in columns:
        table.add_column(f"{column.group}\n{column.name}", justify="right")
    for parent, evaluation in zip([None, *evaluations], evaluations, strict=False):
        table.add_row(evaluation.stage, *(_cell(column, evaluation, parent) for column in columns))
    return table


def _significance_cells(row: Comparison) -> list[Text]:
    test = row.test
    colour = ("green" if test.difference > 0 else "red") if is_significant(row) else "dim"
    places = 2 if row.measure == "chrF" else 3
    return [
        Text(row.suite),
        Text(row.measure),
        Text(f"{test.before:.{places}f}"),
        Text(f"{test.after:.{places}f}"),
        Text(signed(test.difference, places), style=colour),
        Text(f"{signed(test.low, places)} … {signed(test.high, places)}"),
        Text(p_text(test.p_greater), style=colour),
        Text(rows_text(test)),
    ]


def significance_table(parent: Evaluation, child: Evaluation) -> Table:
    """Paired bootstrap of a stage against its parent, on the same held-out rows."""
    title = f"{child.stage} against {parent.stage}: paired bootstrap on the same rows"
    table = Table(title=title)
    for name in (
        "suite",
        "measure",
        parent.stage,
        child.stage,
        "change",
        "95 % interval",
        "p (one-sided)",
        "rows",
    ):
        table.add_column(name, justify="left" if name in ("suite", "measure") else "right")
    for row in compare(parent, child):
        table.add_row(*_significance_cells(row))
    return table
