"""Tables, tiles and grouped sentences of the report, as records that the template lays out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dragoman.evaluation.comparison import (
    Comparison,
    all_suites,
    general_score,
    is_significant,
    p_text,
    rows_text,
    signed,
    suite_name,
    translation_score,
)
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.report.charts import Chart, FrontierPoint
from dragoman.evaluation.report.findings import Finding, percent
from dragoman.evaluation.report.run_record import RunRecord
from dragoman.evaluation.tasks import find_task

HELD_OUT_NAMES = {"slots": "new filling", "template": "new template"}


@dataclass(frozen=True)
class Tile:
    """One metric at the top of the page."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class HeldOutRow:
    """A suite's primary metric for one kind of hold-out, through the stages."""

    suite: str
    kind: str
    metric: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class TestRow:
    """One paired test, as shown."""

    suite: str
    measure: str
    before: str
    after: str
    difference: str
    interval: str
    p: str
    n: str
    verdict: str
    low: float
    at: float
    high: float
    """The interval and the change on the measure's scale: 0 to 1, no change at 0.5"""


@dataclass(frozen=True)
class ExposureRow:
    """One translation direction: in which forms each stage saw it."""

    direction: str
    kind: str
    """What it counts as"""
    cells: tuple[str, ...]


@dataclass(frozen=True)
class StageFindings:
    """Sentences about one stage."""

    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class StageCharts:
    """Learning curves of one stage."""

    name: str
    charts: tuple[Chart, ...]


def held_out_rows(evaluations: Sequence[Evaluation]) -> list[HeldOutRow]:
    """The primary metric of every suite per kind of hold-out and stage; suites with one kind are left out."""
    rows = []
    for suite in all_suites(evaluations):
        shown = find_task(suite.task).primary
        for kind in suite.by_heldout if len(suite.by_heldout) > 1 else ():
            parts = [found.by_heldout.get(kind, {}) if (found := e.suite(suite.name)) else {} for e in evaluations]
            values = [part.get(shown.metric) for part in parts]
            scale = 1 if shown.unit == "score" else 100
            texts = tuple("–" if value is None else f"{value * scale:.1f}" for value in values)
            rows.append(HeldOutRow(suite_name(suite.name), HELD_OUT_NAMES.get(kind, kind), shown.name, texts))
    return rows


def frontier_points(evaluations: Sequence[Evaluation]) -> list[FrontierPoint]:
    """Stages that have both a translation and a general score."""
    scores = [(e.stage, translation_score(e), general_score(e)) for e in evaluations]
    return [
        FrontierPoint(stage, chrf, 100 * general)
        for stage, chrf, general in scores
        if chrf is not None and general is not None
    ]


def tiles(evaluations: Sequence[Evaluation], tests: Sequence[Comparison]) -> list[Tile]:
    """What stands at the top: translation, off-target, general skill, and the last stage's gains."""
    if not evaluations:
        return []
    last = evaluations[-1]
    found = [
        _from_first_to_last("translation, mean chrF", evaluations, translation_score, "{:.1f}".format),
        _worst_off_target(evaluations),
        _from_first_to_last("general skill, mean", evaluations, general_score, percent),
    ]
    sampled = [row for row in tests if row.measure == "reward, sampled" and row.suite != "all translation"]
    if sampled:
        gains = sum(is_significant(row) and row.test.difference > 0 for row in sampled)
        found.append(Tile(f"{last.stage}: reward up", f"{gains} of {len(sampled)}", "suites, beyond chance"))
    return [tile for tile in found if tile]


def _from_first_to_last(
    label: str,
    evaluations: Sequence[Evaluation],
    score: Callable[[Evaluation], float | None],
    text: Callable[[float], str],
) -> Tile | None:
    start, end = score(evaluations[0]), score(evaluations[-1])
    if start is None or end is None:
        return None
    return Tile(label, text(end), f"{evaluations[0].stage} {text(start)}")


def _worst_off_target(evaluations: Sequence[Evaluation]) -> Tile | None:
    """Off-target ratio of the suite where it was worst after fine-tuning, from its peak to the last stage."""
    tuned = [e for e in evaluations if e.shown.instructed] or list(evaluations)
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
    return Tile(f"off-target, {suite_name(name)}", percent(now), f"from {percent(peak)} after {stage}")


def test_rows(tests: Sequence[Comparison]) -> list[TestRow]:
    """The significance table's rows."""
    reach: dict[str, float] = {}
    for row in tests:
        reach[row.measure] = max(reach.get(row.measure, 1e-9), abs(row.test.low), abs(row.test.high))
    rows = []
    for row in tests:
        test, places = row.test, 2 if row.measure == "chrF" else 3
        verdict = ("better" if test.difference > 0 else "worse") if is_significant(row) else "same"
        interval = f"{signed(test.low, places)} … {signed(test.high, places)}"
        before, after = (f"{value:.{places}f}" for value in (test.before, test.after))
        change, p, n = signed(test.difference, places), p_text(row.p), rows_text(test)
        ends = (test.low, test.difference, test.high)
        low, at, high = (round(0.5 + end / reach[row.measure] / 2, 3) for end in ends)
        rows.append(TestRow(row.suite, row.measure, before, after, change, interval, p, n, verdict, low, at, high))
    return rows


def exposure_rows(record: RunRecord) -> list[ExposureRow]:
    """Which stage saw which direction in which form, from the manifests; "zero-shot" where none saw a right answer."""
    stages = [stage.name for stage in record.stages if stage.name in record.manifests]
    seen = {name: record.manifests[name].get("metrics", {}).get("directions", {}) for name in stages}
    directions = sorted({d for forms in seen.values() for counts in forms.values() for d in counts})
    rows = []
    for direction in directions:
        forms = {name: [form for form, counts in seen[name].items() if direction in counts] for name in stages}
        told = {form for found in forms.values() for form in found}
        right = told - {"wrong instruction", "prompt"}
        kind = "zero-shot" if not right else "parallel text only" if right == {"parallel text"} else "supervised"
        shown = tuple(", ".join(f"{f} ({seen[s][f][direction]:,})" for f in forms[s]) or "–" for s in stages)
        rows.append(ExposureRow(direction.replace("-", " → "), kind, shown))
    return rows


def grouped(found: Sequence[Finding], evaluations: Sequence[Evaluation]) -> list[StageFindings]:
    """Sentences under their stages."""
    by_stage = [(e.shown.title, tuple(f for f in found if f.stage == e.stage)) for e in evaluations]
    return [StageFindings(title, sentences) for title, sentences in by_stage if sentences]
