"""The observatory in a terminal of 80 columns: a line a series with its curve, then the alarms."""

from collections.abc import Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dragoman.evaluation.observatory.evidence import ends
from dragoman.evaluation.observatory.series import Role, Series
from dragoman.evaluation.observatory.watch import Observation

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 16
ROLES: dict[Role, str] = {
    "reward": "optimised: rewards",
    "optimised": "optimised: development metrics of trained reward kinds",
    "disjoint": "not optimised: development metrics",
    "indicator": "answers of each step",
}


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """A curve in one line, from its lowest to its highest value; each bar the mean of its part."""
    parts = min(width, len(values))
    cuts = [place * len(values) // parts for place in range(parts + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    low, span = min(means), max(means) - min(means)
    return "".join(BARS[round((mean - low) / span * (len(BARS) - 1))] if span else BARS[0] for mean in means)


def observation_table(found: Observation) -> Table:
    """All series, by what they are to the run."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="observatory", title_justify="left")
    table.add_column("", max_width=34, overflow="ellipsis", no_wrap=True)
    for name in ("first", "last"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("over steps", no_wrap=True)
    alarmed = {alarm.worse.series.name for alarm in found.alarms}
    for role, title in ROLES.items():
        members = [one for one in found.series if one.role == role]
        if members:
            table.add_row(Text(title, style="bold"))
        for one in members:
            table.add_row(*_cells(one, one.name in alarmed))
    return table


def _cells(one: Series, alarmed: bool) -> list[Text]:
    first, last = ends(one.values)
    style = "red" if alarmed else ""
    curve = sparkline(one.values)
    return [Text(f"{'!' if alarmed else ' '} {one.title}", style=style), Text(one.text(first)),
            Text(one.text(last), style=style), Text(curve, style=style)]  # fmt: skip


def alarm_lines(found: Observation) -> list[str]:
    """A sentence an alarm, or that there is none."""
    if found.sentences:
        return [f"ALARM: {sentence}" for sentence in found.sentences]
    return ["no alarm: nothing that is not optimised worsened beyond chance"]
