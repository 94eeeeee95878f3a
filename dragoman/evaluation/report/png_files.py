"""The drawings of a report as PNG files in `report-png/`, for slides and papers: light, 200 dots an inch.

A drawing is made once, in stand-in colours (`charts`). Here the artists of its figure get colours that print.
"""

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from dragoman.evaluation.observatory.watch import Observation
from dragoman.evaluation.report.charts import GRID, INK, MUTED, SERIES, Chart, frontier, stage_charts
from dragoman.evaluation.report.observed import observed_charts
from dragoman.evaluation.report.run_record import RunRecord
from dragoman.evaluation.report.tables import frontier_points
from dragoman.files import write_bytes

FOLDER = "report-png"
DPI = 200
PRINTED = {INK: "#1d1f24", MUTED: "#555961", GRID: "#dddad2"} | dict(
    zip(SERIES, ("#c2571a", "#0f6fa8", "#2f8f5b", "#8a4fb0", "#b08900", "#c23a6b"), strict=True)
)
COLOURED = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def write_png(folder: Path, record: RunRecord, observed: Observation) -> Path:
    """Write every drawing into a run's folder; returns theirs."""
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    path = frontier(frontier_points(record.evaluations))
    named = [("", path)] if path else []
    named += [("observatory-", chart) for chart in observed_charts(observed)]
    named += [(f"{stage}-", chart) for stage, lines in record.metrics.items() for chart in stage_charts(stage, lines)]
    for prefix, chart in named:
        write_bytes(target / f"{prefix}{file_name(chart.title)}.png", png(chart))
    return target


def file_name(title: str) -> str:
    """A title as a part of a file's name."""
    return re.sub(r"\W+", "-", title).strip("-").lower()


def png(chart: Chart) -> bytes:
    """The drawing in printed colours."""
    repaint(chart.figure.findobj())
    stream = BytesIO()
    chart.figure.savefig(stream, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return stream.getvalue()


def repaint(artists: Iterable[Artist]) -> None:
    """Give every artist the printed colours in place of the stand-ins."""
    for artist in artists:
        for name in COLOURED:
            colour = _colour(artist, name)
            if colour in PRINTED:
                getattr(artist, f"set_{name}")(PRINTED[colour])


def _colour(artist: Artist, name: str) -> str | None:
    """One colour of an artist as hex; None where it has none of that kind, or several."""
    read = getattr(artist, f"get_{name}", None)
    if read is None or isinstance(artist, Figure):
        return None
    found = read()
    found = found[0] if getattr(found, "ndim", 1) == 2 and len(found) == 1 else found
    try:
        return to_hex(found)
    except ValueError:
        return None  # "none", "auto", or a list of several
