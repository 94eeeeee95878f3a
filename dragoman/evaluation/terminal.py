"""Tables for the terminal: metrics by stage with their change, and a stage against its parent.

console.print(stage_table(evaluations)); console.print(significance_table(parent, child))
"""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dragoman.evaluation.comparison import (
    OPTIMISED,
    Column,
    Comparison,
    columns_of,
    compare,
    is_significant,
    p_text,
    signed,
)
from dragoman.evaluation.outcomes import Evaluation
from rewards.records import RewardResult
from rewards.spans import SEVERITY

_LONGEST_QUOTE = 40
COLOURS = {"better": "green", "worse": "red", "same": "dim"}


def _cell(column: Column, evaluation: Evaluation, parent: Evaluation | None) -> Text:
    """A value, and under it its change from the parent."""
    value = column.value(evaluation)
    before = column.value(parent) if parent else None
    text = Text(column.text(value), justify="right")
    change = column.change(before, value)
    if change:
        text.append(f"\n{change}", style=COLOURS[column.verdict(before, value)])
    return text


def painted(text: str, components: Sequence[RewardResult]) -> Text:
    """An answer with the pieces that its rewards marked: red where they take credit, green where they give some.

    What is marked as a whole is told by `component_lines`.
    """
    shown = Text(text)
    for span in (span for component in components for span in component.spans if span.end - span.start < len(text)):
        strong = "bold " if abs(span.value) >= abs(SEVERITY["major"]) else ""
        shown.stylize(f"{strong}underline {'red' if span.value < 0 else 'green'}", span.start, span.end)
    return shown


def component_lines(text: str, components: Sequence[RewardResult]) -> Text:
    """One line for each component and, below it, for each piece of the text that it marked."""
    lines = []
    for component in components:
        value = component.status if component.value is None else round(component.value, 4)
        lines.append(f"{component.kind} {value}")
        for span in component.spans:
            piece = text[span.start : span.end]
            where = (
                "all of it"
                if piece == text
                else repr(piece if len(piece) <= _LONGEST_QUOTE else f"{piece[:_LONGEST_QUOTE]}…")
            )
            lines.append(f"  {where}: {span.value:+g} {span.label}".rstrip())
    return Text("\n".join(lines))


def stage_table(evaluations: Sequence[Evaluation]) -> Table:
    """One row per metric, one column per stage in the order given: readable at 80 columns and in a job's log."""
    caption = f"under each value its change; per cent but for chrF and rewards; {OPTIMISED} trained on"
    table = Table(title="evaluation by stage", caption=caption, box=SIMPLE_HEAD, title_justify="left",
                  caption_justify="left", pad_edge=False)  # fmt: skip
    table.add_column("suite")
    table.add_column("metric")
    for evaluation in evaluations:
        table.add_column(evaluation.stage, justify="right", no_wrap=True)
    group = ""
    for column in columns_of(evaluations):
        parents = [None, *evaluations]
        cells = [_cell(column, e, parent) for e, parent in zip(evaluations, parents, strict=False)]
        table.add_row("" if column.group == group else column.group, column.label(evaluations), *cells)
        group = column.group
    return table


def significance_table(parent: Evaluation, child: Evaluation) -> Table:
    """Paired bootstrap of a stage against its parent, on the same held-out rows; at most 80 columns wide."""
    caption = "paired bootstrap on the same rows; p two-sided, corrected for the number of suites"
    table = Table(title=f"{child.stage} against {parent.stage}", caption=caption, box=SIMPLE_HEAD,
                  title_justify="left", caption_justify="left", pad_edge=False, padding=(0, 1, 0, 0))  # fmt: skip
    for name in ("suite", "measure"):
        table.add_column(name)
    for name in ("before", "after", "change", "95 % interval", "p", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in compare(parent, child):
        table.add_row(*_significance_cells(row))
    return table


def _significance_cells(row: Comparison) -> list[Text]:
    test = row.test
    colour = ("green" if test.difference > 0 else "red") if is_significant(row) else "dim"
    places = 1 if row.measure == "chrF" else 3
    return [
        Text(row.suite),
        Text(row.measure.replace("reward, ", "")),
        Text(f"{test.before:.{places}f}"),
        Text(f"{test.after:.{places}f}"),
        Text(signed(test.difference, places), style=colour),
        Text(f"{signed(test.low, places)}…{signed(test.high, places)}"),
        Text(p_text(row.p), style=colour),
        Text(str(test.clusters)),
    ]
