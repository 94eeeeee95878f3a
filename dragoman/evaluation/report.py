"""The report of a run: one HTML file, no network, readable on a phone and in the dark.

    run folder -> RunRecord -> tables, sentences, charts, viewer data -> page/report.html.j2 -> report.html

The page escapes everything (Jinja autoescape; the viewer writes text nodes only) and carries a content
security policy that allows exactly its own script, by hash: model output cannot run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dragoman.evaluation.charts import Chart, FrontierPoint, frontier, stage_charts
from dragoman.evaluation.comparison import (
    METRIC_NAMES,
    Comparison,
    all_suites,
    columns_of,
    compare,
    general_score,
    rows_text,
    signed,
    stage_name,
    suite_name,
    translation_score,
)
from dragoman.evaluation.findings import Finding, findings, headline
from dragoman.evaluation.metrics import primary_metric
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.run_record import RunRecord, read_run
from dragoman.evaluation.showcase import showcase
from dragoman.evaluation.table import p_text
from dragoman.evaluation.viewer_data import safe_json, viewer_data

PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True)
class Tile:
    """One figure at the top of the page."""

    label: str
    value: str
    note: str


def stage_rows(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The stage table: for each stage its cells, each a figure, its change and whether that is good."""
    columns = columns_of(evaluations)
    rows = []
    for parent, evaluation in zip([None, *evaluations], evaluations, strict=False):
        cells = []
        for column in columns:
            value, before = column.value(evaluation), column.value(parent) if parent else None
            cells.append(
                {
                    "text": column.text(value),
                    "change": column.change(before, value),
                    "verdict": column.verdict(before, value),
                }
            )
        rows.append({"stage": evaluation.stage, "name": stage_name(evaluation.stage), "cells": cells})
    return rows


def column_groups(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Neighbouring columns under their common heading."""
    groups: list[dict[str, Any]] = []
    for column in columns_of(evaluations):
        if not groups or groups[-1]["name"] != column.group:
            groups.append({"name": column.group, "columns": []})
        groups[-1]["columns"].append(column.name)
    return groups


def heat_rows(evaluations: Sequence[Evaluation], metric: str, scale: float) -> list[dict[str, Any]]:
    """A metric per direction and stage; `heat` is the share of the scale's end, 0 to 1."""
    rows = []
    for suite in all_suites(evaluations):
        for direction in suite.by_direction:
            cells = []
            for evaluation in evaluations:
                found = evaluation.suite(suite.name)
                value = found.by_direction.get(direction, {}).get(metric) if found else None
                shown = "–" if value is None else f"{value * 100 / scale:.0f}"
                cells.append({"text": shown, "heat": round((value or 0) / scale, 3)})
            rows.append({"suite": suite_name(suite.name), "name": direction.replace("-", " → "), "cells": cells})
    return rows


HELD_OUT_NAMES = {"slots": "new filling", "template": "new template"}


def held_out_rows(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The primary figure of every suite per kind of hold-out and stage; suites with one kind are left out."""
    rows = []
    for suite in all_suites(evaluations):
        metric = primary_metric(suite.task)
        for kind in suite.by_heldout if len(suite.by_heldout) > 1 else ():
            parts = [found.by_heldout.get(kind, {}) if (found := e.suite(suite.name)) else {} for e in evaluations]
            values = [part.get(metric) for part in parts]
            scale = 1 if metric == "chrf" else 100
            texts = ["–" if value is None else f"{value * scale:.1f}" for value in values]
            kind_name = HELD_OUT_NAMES.get(kind, kind)
            figure = METRIC_NAMES.get(metric, metric)
            rows.append({"suite": suite_name(suite.name), "kind": kind_name, "figure": figure, "cells": texts})
    return rows


def frontier_points(evaluations: Sequence[Evaluation]) -> list[FrontierPoint]:
    """Stages that have both a translation and a general score."""
    scores = [(e.stage, translation_score(e), general_score(e)) for e in evaluations]
    return [
        FrontierPoint(stage, chrf, 100 * general)
        for stage, chrf, general in scores
        if chrf is not None and general is not None
    ]


def _worst_off_target(evaluations: Sequence[Evaluation]) -> Tile | None:
    """Off-target ratio of the suite where it was worst after fine-tuning, from its peak to the last stage."""
    tuned = [e for e in evaluations if e.stage not in ("base", "cpt")] or list(evaluations)
    peaks = [
        (value, suite.name, evaluation.stage)
        for evaluation in tuned
        for suite in evaluation.suites
        if (value := suite.metrics.get("off_target")) is not None
    ]
    if not peaks:
        return None
    peak, name, stage = max(peaks)
    last = evaluations[-1].suite(name)
    now = last.metrics.get("off_target") if last else None
    if now is None:
        return None
    return Tile(f"off-target, {suite_name(name)}", f"{100 * now:.1f} %", f"from {100 * peak:.1f} % after {stage}")


def tiles(evaluations: Sequence[Evaluation], tests: Sequence[Comparison]) -> list[Tile]:
    """The figures at the top: translation, off-target, general skill, and the last stage's gains."""
    if not evaluations:
        return []
    first, last = evaluations[0], evaluations[-1]
    found: list[Tile | None] = []
    start, end = translation_score(first), translation_score(last)
    if start is not None and end is not None:
        found.append(Tile("translation, mean chrF", f"{end:.1f}", f"{first.stage} {start:.1f}"))
    found.append(_worst_off_target(evaluations))
    start, end = general_score(first), general_score(last)
    if start is not None and end is not None:
        found.append(Tile("general skill, mean", f"{100 * end:.1f} %", f"{first.stage} {100 * start:.1f} %"))
    sampled = [row for row in tests if row.measure == "reward, sampled" and row.suite != "all translation"]
    if sampled:
        gains = sum(row.test.p_two_sided < 0.05 and row.test.difference > 0 for row in sampled)
        found.append(Tile(f"{last.stage}: reward up", f"{gains} of {len(sampled)}", "suites, beyond chance"))
    return [tile for tile in found if tile]


def test_rows(tests: Sequence[Comparison]) -> list[dict[str, Any]]:
    """The significance table's rows."""
    rows = []
    for row in tests:
        test, places = row.test, 2 if row.measure == "chrF" else 3
        significant = test.p_two_sided < 0.05
        rows.append(
            {
                "suite": row.suite,
                "measure": row.measure,
                "before": f"{test.before:.{places}f}",
                "after": f"{test.after:.{places}f}",
                "difference": signed(test.difference, places),
                "interval": f"{signed(test.low, places)} … {signed(test.high, places)}",
                "p": p_text(test.p_greater),
                "n": rows_text(test),
                "verdict": ("better" if test.difference > 0 else "worse") if significant else "same",
            }
        )
    return rows


def _grouped(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Sentences under their stages."""
    groups: list[dict[str, Any]] = []
    for finding in found:
        if not groups or groups[-1]["stage"] != finding.stage:
            groups.append({"stage": finding.stage, "name": stage_name(finding.stage), "findings": []})
        groups[-1]["findings"].append(finding)
    return groups


def curves(record: RunRecord) -> list[dict[str, Any]]:
    """Learning curves of every stage that has some."""
    charts: list[tuple[str, list[Chart]]] = [(s, stage_charts(s, lines)) for s, lines in record.metrics.items()]
    return [
        {"stage": stage, "name": stage_name(stage), "charts": [_drawing(chart) for chart in found]}
        for stage, found in charts
        if found
    ]


def _drawing(chart: Chart) -> dict[str, Any]:
    """matplotlib escapes every text of its SVG, so the drawing may stand in the page as it is."""
    return {"title": chart.title, "svg": Markup(chart.svg)}


def script_hash(script: str) -> str:
    """The hash by which a content security policy allows an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _tested_pair(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, Evaluation] | None:
    """Reinforcement learning and its parent; before it has run, the last stage and its parent."""
    stages = [evaluation.stage for evaluation in evaluations]
    child = stages.index("rl") if "rl" in stages else len(stages) - 1
    return (evaluations[child - 1], evaluations[child]) if child > 0 else None


def _context(record: RunRecord) -> dict[str, Any]:
    evaluations = record.evaluations
    tested = _tested_pair(evaluations)
    tests = compare(*tested) if tested else []
    script = (PAGE / "viewer.js").read_text(encoding="utf-8")
    path = frontier(frontier_points(evaluations))
    manifests = {stage: json.dumps(found, indent=1, ensure_ascii=False) for stage, found in record.manifests.items()}
    return {
        "run": record,
        "headline": headline(evaluations),
        "tiles": tiles(evaluations, tests),
        "groups": column_groups(evaluations),
        "stages": stage_rows(evaluations),
        "readings": _grouped(findings(evaluations, tests)),
        "showcase": showcase(evaluations),
        "frontier": _drawing(path) if path else None,
        "off_target": heat_rows(evaluations, "off_target", 1.0),
        "chrf": heat_rows(evaluations, "chrf", 100.0),
        "held_out": held_out_rows(evaluations),
        "tests": test_rows(tests),
        "tested": [evaluation.stage for evaluation in tested or ()],
        "curves": curves(record),
        "manifests": manifests,
        "data": Markup(safe_json(viewer_data(evaluations, record.rollouts))),
        "style": Markup((PAGE / "style.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "script_hash": script_hash(script),
    }


def render_report(record: RunRecord) -> str:
    """The page of a run, as text."""
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(_context(record))


def write_report(run_folder: Path) -> Path:
    """Write `report.html` into a run's folder and return its path.

    Works on unfinished runs. Raises RunFolderError when there is nothing to report on.
    """
    page = render_report(read_run(run_folder))
    target = run_folder / "report.html"
    aside = run_folder / ".report.html.partial"
    aside.write_text(page, encoding="utf-8")
    os.replace(aside, target)
    return target
