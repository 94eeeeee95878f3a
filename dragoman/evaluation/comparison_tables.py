"""Tables of an evaluation outside of a run, and of a comparison: readable at 80 columns."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dragoman.evaluation.comparing import ALPHA, Pair, Place, Standing
from dragoman.evaluation.comparison import OPTIMISED, optimising, p_text, signed, suite_name
from dragoman.evaluation.corpus_metrics import find_metric
from dragoman.evaluation.outcomes import Evaluation, MetricValue, SuiteResult

_MOST_DIRECTIONS = 3


def value_text(value: float | None, unit: str) -> str:
    """A figure as tables show it: percentages for fractions, a dash for what there is not."""
    if value is None:
        return "–"
    return f"{value:.2f}" if unit == "reward" else f"{100 * value if unit == 'percent' else value:.1f}"


def interval_text(value: MetricValue) -> str:
    """Its 95 % interval; empty where it has none."""
    if value.low is None or value.high is None:
        return ""
    return f"{value_text(value.low, value.unit)}–{value_text(value.high, value.unit)}"


def suite_tables(evaluation: Evaluation) -> list[Table]:
    """One table for each suite: metrics, directions where they are few, and signatures or reasons below."""
    return [_suite_table(result, evaluation) for result in evaluation.suites]


def _suite_table(result: SuiteResult, evaluation: Evaluation) -> Table:
    rows = len(evaluation.outcomes_of(result.name))
    directions = list(result.measured_by_direction)[:_MOST_DIRECTIONS]
    left = len(result.measured_by_direction) - len(directions)
    more = f"; {left} more directions in evaluation.json" if left else ""
    table = _table(f"{suite_name(result.name)}: {rows} rows{more}", _notes(result.measured))
    table.add_column("metric")
    table.add_column("all", justify="right", no_wrap=True)
    table.add_column("95 %", justify="right", no_wrap=True)
    for name in directions:
        table.add_column(name, justify="right", no_wrap=True)
    for place, value in enumerate(result.measured):
        arrow = "" if value.higher_is_better else " ↓"
        cells = [result.measured_by_direction[name][place] for name in directions]
        mark = f" {OPTIMISED}" if set(optimising(value.name)) & set(evaluation.shown.optimised) else ""
        title = Text(f"{find_metric(value.name).title}{arrow}{mark}", style="bold" if place == 0 else "")
        table.add_row(
            title, value_text(value.value, value.unit), interval_text(value),
            *(value_text(c.value, c.unit) for c in cells),
        )  # fmt: skip
    return table


def _notes(values: Sequence[MetricValue]) -> str:
    """Signatures, and why a figure is missing."""
    told = [f"{v.name}: {v.signature or v.reason}" for v in values if v.signature or v.reason]
    head = f"per cent but for chrF, BLEU, TER and ratios; ↓ lower is better; {OPTIMISED} chosen or trained by"
    return "\n".join([head, *told])


def comparison_tables(found: Standing) -> list[Table]:
    """Ranks by suite, then every pair."""
    return [_ranks(found), _pairs(found.pairs)]


def _ranks(found: Standing) -> Table:
    table = _table("ranks", "equal ranks cannot be told apart (Holm, 5 %)")
    for name in ("suite", "rank", "system", "metric"):
        table.add_column(name, overflow="fold")
    for name in ("value", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    last = ""
    for place in found.places:
        suite = "" if place.suite == last else suite_name(place.suite)
        table.add_row(suite, str(place.rank), place.system, find_metric(place.metric).title,
                      _with_spread(place), str(place.rows))  # fmt: skip
        last = place.suite
    return table


def _how(pairs: Sequence[Pair]) -> str:
    """What the p of a table are."""
    tests = "of approximate randomisation"
    if any(pair.p_seeds is not None for pair in pairs):
        tests = "over rows and training seeds (Welch)"
    return f"second minus first; p {tests}, corrected by Holm"


def _with_spread(place: Place) -> str:
    """A value, with its standard deviation between trainings where there are several."""
    unit = find_metric(place.metric).unit
    value = value_text(place.value, unit)
    return value if place.spread is None else f"{value} ± {value_text(place.spread, unit)} ({place.seeds} seeds)"


def _pairs(pairs: Sequence[Pair]) -> Table:
    table = _table("pairs", _how(pairs))
    table.add_column("suite", overflow="fold", max_width=16)
    table.add_column("systems", overflow="fold", max_width=30)
    for name in ("change", "95 % interval", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for pair in pairs:
        scale = 100 if find_metric(pair.metric).unit == "percent" else 1
        places = 2 if find_metric(pair.metric).unit == "reward" else 1
        better = (pair.difference > 0) == find_metric(pair.metric).higher_is_better
        colour = ("green" if better else "red") if pair.p_holm < ALPHA else "dim"
        low, high, change = (scale * value for value in (pair.low, pair.high, pair.difference))
        table.add_row(
            suite_name(pair.suite), f"{pair.a} → {pair.b}", Text(signed(change, places), style=colour),
            f"{signed(low, places)}…{signed(high, places)}", Text(p_text(pair.p_holm), style=colour),
        )  # fmt: skip
    return table


def _table(title: str, caption: str) -> Table:
    return Table(title=title, caption=caption, box=SIMPLE_HEAD, title_justify="left", caption_justify="left",
                 pad_edge=False, padding=(0, 1, 0, 0))  # fmt: skip
