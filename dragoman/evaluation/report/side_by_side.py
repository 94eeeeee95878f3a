"""Several runs on one page: the last stage of each, on the suites that they share.

The first run is what the others are compared with: changes in the table, paired tests on the rows that both answered.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from dragoman.evaluation.comparison import compare
from dragoman.evaluation.observatory.watch import Observation, Observatory
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.report.charts import SERIES_LIMIT, Chart, Curve, learning_curve
from dragoman.evaluation.report.direction_tables import direction_tables, metrics_shown
from dragoman.evaluation.report.metric_groups import FOLDED_FROM, metric_groups
from dragoman.evaluation.report.page import (
    TEMPLATE,
    environment,
    page_script,
    safe_chart,
    script_hash,
    sections_of,
)
from dragoman.evaluation.report.run_record import RunRecord, RunRecordError, read_run
from dragoman.evaluation.report.tables import TestRow, test_rows
from dragoman.evaluation.report.viewer import safe_json, viewer_data
from dragoman.files import write_text

DEFAULT = "runs-compared.html"
SHARED = ("reward_mean", "loss", "length_mean")
"""Curves of which each run has one in a common drawing, where at least two runs log them"""


@dataclass(frozen=True)
class Against:
    """Paired tests of a run against the first."""

    run: str
    tests: tuple[TestRow, ...]


@dataclass(frozen=True)
class Alarms:
    """What the observatory says of a run."""

    name: str
    sentences: tuple[str, ...]


def write_side_by_side(folders: Sequence[Path], target: Path | None = None) -> Path:
    """One page for several runs, beside the first one's folder; RunRecordError where a folder holds no run."""
    records = [named(read_run(folder), name) for folder, name in zip(folders, names_of(folders), strict=True)]
    observed = [Observatory(folder).look() for folder in folders]
    path = target or folders[0].resolve().parent / DEFAULT
    write_text(path, render_side_by_side(records, observed))
    return path


def names_of(folders: Sequence[Path]) -> list[str]:
    """Folder names; those that occur twice with their parent's."""
    plain = [folder.resolve().name for folder in folders]
    twice = {name for name, times in Counter(plain).items() if times > 1}
    return [f"{f.resolve().parent.name}/{name}" if name in twice else name
            for f, name in zip(folders, plain, strict=True)]  # fmt: skip


def named(record: RunRecord, name: str) -> RunRecord:
    """A run whose last evaluation bears the run's name."""
    if not record.evaluations:
        raise RunRecordError(f"{name} has no evaluation yet, so there is nothing to compare; evaluate a stage first")
    last = record.evaluations[-1]
    shown = replace(last.shown, name=name, title=f"{name}, after {last.shown.title}")
    return replace(record, name=name, evaluations=(replace(last, shown=shown),))


def render_side_by_side(records: Sequence[RunRecord], observed: Sequence[Observation]) -> str:
    """The page, as text."""
    evaluations = [record.evaluations[0] for record in records]
    script = page_script()
    directions = direction_tables(evaluations)
    charts = [safe_chart(chart) for chart in common_curves(records)]
    pairs = zip(records, observed, strict=True)
    return environment().get_template("runs.html.j2").render(
        names=[record.name for record in records],
        stages=[evaluation.shown for evaluation in evaluations],
        sections=sections_of(
            stages=True, directions=directions, tests=len(records) > 1, curves=charts, observatory=True, samples=True
        ),
        groups=metric_groups(evaluations, against_first=True),
        folded=FOLDED_FROM,
        directions=directions,
        direction_metrics=metrics_shown(directions),
        tests=tests_against_first(evaluations),
        charts=charts,
        alarms=[Alarms(one.name, tuple(alarm.sentence(one.name) for alarm in found.alarms)) for one, found in pairs],
        data=Markup(safe_json(viewer_data(evaluations, ()))),
        style=Markup((TEMPLATE / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=script_hash(script),
    )  # fmt: skip


def tests_against_first(evaluations: Sequence[Evaluation]) -> list[Against]:
    """Empty for a run that shares no row with the first."""
    first, *others = evaluations
    return [Against(other.stage, tuple(test_rows(found))) for other in others if (found := compare(first, other))]


def common_curves(records: Sequence[RunRecord]) -> list[Chart]:
    """Drawings with a curve for each run, of the last stage that logs the metric."""
    charts = []
    for number, metric in enumerate(SHARED):
        curves = [curve for record in records if (curve := _curve(record, metric))][:SERIES_LIMIT]
        if len(curves) > 1:
            charts.append(learning_curve(metric.replace("_", ", "), curves, f"runs{number}"))
    return charts


def _curve(record: RunRecord, metric: str) -> Curve | None:
    logged = [lines for lines in record.metrics.values() if any(metric in line.values for line in lines)]
    points = [(line.step, line.values[metric]) for line in logged[-1] if metric in line.values] if logged else []
    if len(points) < 2:
        return None
    steps, values = zip(*points, strict=True)
    return Curve(record.name, steps, values)
