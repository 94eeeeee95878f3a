"""Small charts as inline SVG: learning curves of a stage, and translation against general skill.

Drawn by matplotlib with stand-in colours that are then replaced by CSS variables, so that one drawing follows
the page into dark mode. Text stays text. Ids are prefixed, because several drawings share one page.
"""

import io
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

import matplotlib

matplotlib.use("svg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from dragoman.evaluation.run_logs import StepLine
from dragoman.text.tables import read_table

INK, MUTED, GRID = "#0a0001", "#0a0002", "#0a0003"
SERIES = ("#0a0011", "#0a0012", "#0a0013", "#0a0014", "#0a0015", "#0a0016")
CSS = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)"} | {
    colour: f"var(--c{number})" for number, colour in enumerate(SERIES, 1)
}
SMOOTHED_FROM = 40
"""Curves with at least this many points are also drawn smoothed."""

PANELS: dict[str, str] = read_table(__file__, "panels")
LOGARITHMIC = ("log-probability gap, engine and learner",)
PANEL_LIMIT = 9
SERIES_LIMIT = len(SERIES)
LABEL_LIMIT = 30


@dataclass(frozen=True)
class Curve:
    """One metric over steps."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """A drawing and its caption."""

    title: str
    svg: str
    figure: Figure = field(compare=False, repr=False)
    """The drawing itself, for other formats (`png_files`)"""


def curves_of(lines: Sequence[StepLine]) -> list[Curve]:
    """Every metric of a stage's lines."""
    points: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        for name, value in line.values.items():
            points.setdefault(name, []).append((line.step, value))
    return [Curve(name, *map(tuple, zip(*pairs, strict=True))) for name, pairs in points.items()]


def panels_of(curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    """Curves grouped into panels, in the order of `PANELS`; curves of a single point are left out."""
    grouped: dict[str, list[Curve]] = {title: [] for title in PANELS}
    for curve in (curve for curve in curves if len(curve.steps) > 1):
        title = next((title for title, pattern in PANELS.items() if re.search(pattern, curve.name)), None)
        if title:
            grouped[title].append(curve)
    return [(title, found[:SERIES_LIMIT]) for title, found in grouped.items() if found][:PANEL_LIMIT]


def smoothed(values: Sequence[float]) -> list[float]:
    """Centred moving average over about a tenth of the curve; it neither lags nor invents the ends."""
    reach = max(2, len(values) // 20)
    windows = (values[max(0, at - reach) : at + reach + 1] for at in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def _literal(text: str) -> str:
    """A label, cut when long, that matplotlib does not read as mathematics."""
    short = text if len(text) <= LABEL_LIMIT else text[: LABEL_LIMIT - 1] + "…"
    return short.replace("$", r"\$")


def _use_decades(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic scale over whole decades, when every value is above zero."""
    if min(values) > 0:
        axes.set_yscale("log")
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
        axes.set_ylim(10.0**low, 10.0**high)
        axes.yaxis.set_minor_locator(NullLocator())


def _tidy(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)
    axes.tick_params(colors=MUTED, labelsize=8, length=0, pad=4)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(nbins=5) if axes.get_yscale() == "linear" else None


def _legend(axes: Axes, columns: int) -> None:
    legend = axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, fontsize=7.5,
        handlelength=1.1, columnspacing=1.0, borderpad=0.1,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_color(MUTED)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def themed(svg: str, prefix: str, told: str = "") -> str:
    """SVG with CSS variables for stand-in colours, ids made unique, no fixed size, and what it shows in words."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    for colour, variable in CSS.items():
        body = body.replace(colour, variable)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", body)
    body = re.sub(r"font: ([^;\"]*?px) [^;\"]*", r"font: \1 system-ui, sans-serif", body)
    for size in ("width", "height"):
        body = re.sub(rf'(<svg[^>]*?) {size}="[^"]*"', r"\1", body, count=1)
    return body.replace("<svg ", f'<svg role="img" aria-label="{escape(told)}" ', 1)


def _svg(figure: Figure, prefix: str, told: str) -> str:
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix, "font.family": "DejaVu Sans"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return themed(stream.getvalue(), prefix, told)


def _told(title: str, curves: Sequence[Curve]) -> str:
    ends = (f"{c.name} from {c.values[0]:.3g} to {c.values[-1]:.3g}" for c in curves)
    return f"{title}: {'; '.join(ends)}, over {len(curves[0].steps)} points"


def learning_curve(title: str, curves: Sequence[Curve], prefix: str, dashed: Collection[str] = ()) -> Chart:
    """One panel of a stage's metrics over its steps; `dashed` names curves."""
    figure, axes = _figure(3.7, 2.3)
    if title in LOGARITHMIC:
        _use_decades(axes, [value for curve in curves for value in curve.values])
    for colour, curve in zip(SERIES, curves, strict=False):
        smooth, style = len(curve.values) >= SMOOTHED_FROM, "--" if curve.name in dashed else "-"
        axes.plot(curve.steps, curve.values, style, color=colour, linewidth=1.0 if smooth else 1.6,
                  alpha=0.25 if smooth else 1.0, label=None if smooth else _literal(curve.name))  # fmt: skip
        if smooth:
            axes.plot(
                curve.steps, smoothed(curve.values), style, color=colour, linewidth=1.8, label=_literal(curve.name)
            )
    _tidy(axes)
    if len(curves) > 1:
        _legend(axes, 2)
    return Chart(title, _svg(figure, prefix, _told(title, curves)), figure)


def stage_charts(stage: str, lines: Sequence[StepLine]) -> list[Chart]:
    """Every panel of a stage."""
    prefix = re.sub(r"\W", "", stage) or "stage"
    panels = panels_of(curves_of(lines))
    return [learning_curve(title, curves, f"{prefix}{number}") for number, (title, curves) in enumerate(panels)]


@dataclass(frozen=True)
class FrontierPoint:
    """A stage in the plane of translation (x: chrF) and general skill (y: percent)."""

    label: str
    translation: float
    general: float


Box = tuple[float, float, float, float]
"""left, bottom, right, top, in points"""


def _overlap(first: Box, second: Box) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, width) * max(0.0, height)


def _label_boxes(x: float, y: float, width: float) -> list[Box]:
    """Places for a label around a point: above, below, right, left."""
    half, height, gap = width / 2, 11.0, 8.0
    return [
        (x - half, y + gap, x + half, y + gap + height),
        (x - half, y - gap - height, x + half, y - gap),
        (x + gap, y - height / 2, x + gap + width, y + height / 2),
        (x - gap - width, y - height / 2, x - gap, y + height / 2),
    ]


def _along(first: tuple[float, float], second: tuple[float, float]) -> list[Box]:
    """Small boxes along the line that joins two points."""
    steps = [number / 24 for number in range(25)]
    spots = [(first[0] + t * (second[0] - first[0]), first[1] + t * (second[1] - first[1])) for t in steps]
    return [(x - 2, y - 2, x + 2, y + 2) for x, y in spots]


def place_labels(spots: Sequence[tuple[float, float]], labels: Sequence[str]) -> list[tuple[float, float]]:
    """Centre of each label, chosen so that labels cover points, the line and each other the least."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    for first, second in pairwise(spots):
        taken += _along(first, second)
    centres = []
    for (x, y), label in zip(spots, labels, strict=True):
        places = _label_boxes(x, y, 5.4 * len(label))
        best = min(places, key=lambda box: sum(_overlap(box, other) for other in taken))
        taken.append(best)
        centres.append(((best[0] + best[2]) / 2, (best[1] + best[3]) / 2))
    return centres


def _scatter(axes: Axes, points: Sequence[FrontierPoint]) -> None:
    for place, point in enumerate(points):
        last = place == len(points) - 1
        colour, size = (SERIES[0], 70) if last else (SERIES[1], 42)
        axes.scatter(point.translation, point.general, s=size, color=colour, zorder=2)


def _label(axes: Axes, points: Sequence[FrontierPoint]) -> None:
    """Names beside the points; positions are computed in points (1/72 inch), from the axes' transform."""
    pixels = axes.transData.transform([(point.translation, point.general) for point in points])
    scale = 72 / axes.figure.dpi
    spots = [(float(x) * scale, float(y) * scale) for x, y in pixels]
    centres = place_labels(spots, [point.label for point in points])
    for point, spot, centre in zip(points, spots, centres, strict=True):
        offset = (centre[0] - spot[0], centre[1] - spot[1])
        text, spot_on_axes = _literal(point.label), (point.translation, point.general)
        axes.annotate(text, spot_on_axes, xytext=offset, textcoords="offset points", ha="center", va="center",
                      fontsize=9, color=INK)  # fmt: skip


def frontier(points: Sequence[FrontierPoint]) -> Chart | None:
    """Translation against general skill, one point per stage joined in order; None below two points."""
    if len(points) < 2:
        return None
    figure, axes = _figure(6.4, 3.7)
    xs, ys = [point.translation for point in points], [point.general for point in points]
    axes.plot(xs, ys, color=MUTED, linewidth=1.2, alpha=0.6, zorder=1)
    _scatter(axes, points)
    axes.margins(x=0.12, y=0.18)
    axes.set_xlabel("translation: mean chrF →", color=MUTED, fontsize=8.5)
    axes.set_ylabel("general skill: mean score, % →", color=MUTED, fontsize=8.5)
    _tidy(axes)
    figure.draw_without_rendering()
    _label(axes, points)
    title = "Translation against general skill"
    path = "; ".join(f"{p.label} chrF {p.translation:.1f}, {p.general:.1f} %" for p in points)
    return Chart(title, _svg(figure, "frontier", f"{title}: {path}"), figure)
