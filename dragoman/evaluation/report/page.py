"""The HTML page: fills the template and writes the file.

The page escapes everything (Jinja autoescape; the viewer writes text nodes only) and carries a content security policy
that allows exactly its own script, by hash: model output cannot run.
"""

import base64
import hashlib
import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dragoman.evaluation.comparison import compare
from dragoman.evaluation.observatory.watch import Observation, Observatory
from dragoman.evaluation.report.charts import Chart, frontier, stage_charts
from dragoman.evaluation.report.csv_files import write_csv
from dragoman.evaluation.report.findings import findings, headline
from dragoman.evaluation.report.observed import observed_charts
from dragoman.evaluation.report.run_record import RunRecord, read_run
from dragoman.evaluation.report.showcase import showcase
from dragoman.evaluation.report.tables import (
    StageCharts,
    StageFindings,
    exposure_rows,
    frontier_points,
    grouped,
    heat_rows,
    held_out_rows,
    metric_rows,
    test_rows,
    tiles,
)
from dragoman.evaluation.report.viewer import safe_json, viewer_data
from dragoman.files import write_text

TEMPLATE = Path(__file__).parent / "template"


def environment() -> Environment:
    """Templates that escape every value and refuse unknown names."""
    return Environment(
        loader=FileSystemLoader(TEMPLATE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_report(record: RunRecord, observed: Observation) -> str:
    """The page of a run, as text."""
    evaluations = record.evaluations
    tests = compare(*evaluations[-2:]) if len(evaluations) > 1 else []
    path = frontier(frontier_points(evaluations))
    script = (TEMPLATE / "viewer.js").read_text(encoding="utf-8")
    data = viewer_data(evaluations, record.rollouts)
    readings: list[StageFindings] = grouped(findings(evaluations, tests), evaluations)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=record,
            headline=headline(evaluations),
            tiles=tiles(evaluations, tests),
            stages=[evaluation.shown for evaluation in evaluations],
            metrics=metric_rows(evaluations),
            readings=readings,
            showcase=showcase(evaluations),
            frontier=_safe(path) if path else None,
            off_target=heat_rows(evaluations, "off_target", 1.0),
            chrf=heat_rows(evaluations, "chrf", 100.0),
            held_out=held_out_rows(evaluations),
            tests=test_rows(tests),
            exposure=exposure_rows(record),
            exposed=[stage.name for stage in record.stages if stage.name in record.manifests],
            tested=[evaluation.stage for evaluation in evaluations[-2:]],
            curves=_curves(record),
            observed=tuple(map(_safe, observed_charts(observed))),
            alarms=[alarm.sentence(record.name) for alarm in observed.alarms],
            manifests={s: json.dumps(found, indent=1, ensure_ascii=False) for s, found in record.manifests.items()},
            data=Markup(safe_json(data)),
            marked=data.marked,
            style=Markup((TEMPLATE / "style.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=script_hash(script),
        )
    )


def write_report(run_folder: Path, *, csv: bool = False) -> Path:
    """Write `report.html` into a run's folder and return its path; with `csv` its figures as `report-csv/` too.

    Works on unfinished runs. Raises RunRecordError when there is nothing to report on.
    """
    record, observed = read_run(run_folder), Observatory(run_folder).look()
    write_text(run_folder / "report.html", render_report(record, observed))
    if csv:
        write_csv(run_folder, record, observed)
    return run_folder / "report.html"


def script_hash(script: str) -> str:
    """The hash by which a content security policy allows an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _curves(record: RunRecord) -> list[StageCharts]:
    """Learning curves of every stage that has some."""
    charts = [(stage, stage_charts(stage, lines)) for stage, lines in record.metrics.items()]
    return [StageCharts(record.title(stage), tuple(map(_safe, found))) for stage, found in charts if found]


def _safe(chart: Chart) -> Chart:
    """matplotlib escapes every text of its SVG, so the drawing may stand in the page as it is."""
    return Chart(chart.title, Markup(chart.svg))
