"""The HTML page: fills the template and writes the file.

The page escapes everything (Jinja autoescape; the viewer writes text nodes only) and carries a content security policy
that allows exactly its own script, by hash: model output cannot run.
"""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dragoman.evaluation.comparison import compare
from dragoman.evaluation.observatory.watch import Observation, Observatory
from dragoman.evaluation.report.charts import Chart, frontier, stage_charts
from dragoman.evaluation.report.csv_files import write_csv
from dragoman.evaluation.report.direction_tables import direction_tables, metrics_shown
from dragoman.evaluation.report.findings import findings, headline
from dragoman.evaluation.report.metric_groups import FOLDED_FROM, metric_groups
from dragoman.evaluation.report.observed import observed_charts
from dragoman.evaluation.report.png_files import write_png
from dragoman.evaluation.report.run_record import RunRecord, read_run
from dragoman.evaluation.report.showcase import showcase
from dragoman.evaluation.report.tables import (
    StageCharts,
    StageFindings,
    exposure_rows,
    frontier_points,
    grouped,
    held_out_rows,
    test_rows,
    tiles,
)
from dragoman.evaluation.report.viewer import safe_json, viewer_data
from dragoman.files import write_text
from dragoman.text.languages import language_name

TEMPLATE = Path(__file__).parent / "template"
SECTIONS = {
    "stages": "Metrics", "frontier": "Frontier", "directions": "Directions", "tests": "Beyond chance?",
    "observatory": "Observatory", "curves": "Curves", "samples": "Samples", "made": "How",
}  # fmt: skip


def environment() -> Environment:
    """Templates that escape every value and refuse unknown names."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["language"] = language_name
    return made


def render_report(record: RunRecord, observed: Observation) -> str:
    """The page of a run, as text."""
    evaluations = record.evaluations
    tests = compare(*evaluations[-2:]) if len(evaluations) > 1 else []
    path = frontier(frontier_points(evaluations))
    script = page_script()
    directions = direction_tables(evaluations)
    data = viewer_data(evaluations, record.rollouts)
    readings: list[StageFindings] = grouped(findings(evaluations, tests), evaluations)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=record,
            headline=headline(evaluations),
            sections=sections_of(
                stages=evaluations,
                frontier=path,
                directions=directions,
                tests=tests,
                curves=record.metrics,
                observatory=observed.series or observed.alarms,
                samples=evaluations or record.rollouts,
                made=record.recipe or record.manifests,
            ),
            tiles=tiles(evaluations, tests),
            stages=[evaluation.shown for evaluation in evaluations],
            groups=metric_groups(evaluations),
            folded=FOLDED_FROM,
            readings=readings,
            showcase=showcase(evaluations),
            frontier=safe_chart(path) if path else None,
            directions=directions,
            direction_metrics=metrics_shown(directions),
            held_out=held_out_rows(evaluations),
            tests=test_rows(tests),
            exposure=exposure_rows(record),
            exposed=[stage.name for stage in record.stages if stage.name in record.manifests],
            tested=[evaluation.stage for evaluation in evaluations[-2:]],
            curves=_curves(record),
            observed=tuple(map(safe_chart, observed_charts(observed))),
            alarms=[alarm.sentence(record.name) for alarm in observed.alarms],
            manifests={s: json.dumps(found, indent=1, ensure_ascii=False) for s, found in record.manifests.items()},
            data=Markup(safe_json(data)),
            marked=data.marked,
            style=Markup((TEMPLATE / "style.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=script_hash(script),
        )
    )


def write_report(run_folder: Path, *, csv: bool = False, png: bool = False) -> Path:
    """Write `report.html` into a run's folder and return its path; figures (`csv`) and drawings (`png`) as files too.

    Works on unfinished runs. Raises RunRecordError when there is nothing to report on.
    """
    record, observed = read_run(run_folder), Observatory(run_folder).look()
    write_text(run_folder / "report.html", render_report(record, observed))
    if csv:
        write_csv(run_folder, record, observed)
    if png:
        write_png(run_folder, record, observed)
    return run_folder / "report.html"


def sections_of(**present: object) -> list[tuple[str, str]]:
    """Anchors and names of the sections that a page has something for."""
    return [(key, name) for key, name in SECTIONS.items() if present.get(key)]


def page_script() -> str:
    """The one script of a page: folding, searching and switching tables, then the viewer of samples."""
    return "\n".join((TEMPLATE / name).read_text(encoding="utf-8") for name in ("tables.js", "viewer.js"))


def script_hash(script: str) -> str:
    """The hash by which a content security policy allows an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _curves(record: RunRecord) -> list[StageCharts]:
    """Learning curves of every stage that has some."""
    charts = [(stage, stage_charts(stage, lines)) for stage, lines in record.metrics.items()]
    return [StageCharts(record.title(stage), tuple(map(safe_chart, found))) for stage, found in charts if found]


def safe_chart(chart: Chart) -> Chart:
    """matplotlib escapes every text of its SVG, so the drawing may stand in the page as it is."""
    return replace(chart, svg=Markup(chart.svg))
