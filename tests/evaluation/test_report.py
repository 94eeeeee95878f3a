"""Tables and the HTML report: right on known figures, whole on partial runs, harmless on hostile text."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dragoman.evaluation.comparison import columns_of, compare
from dragoman.evaluation.outcomes import Evaluation, Metrics, Outcome, StageTitle, SuiteResult
from dragoman.evaluation.report import RunRecordError, read_run, write_report
from dragoman.evaluation.report.charts import (
    FrontierPoint,
    curves_of,
    frontier,
    learning_curve,
    panels_of,
    place_labels,
    smoothed,
)
from dragoman.evaluation.report.findings import findings
from dragoman.evaluation.report.page import script_hash
from dragoman.evaluation.report.tables import held_out_rows
from dragoman.evaluation.report.viewer import cut, safe_json, spread
from dragoman.evaluation.run_logs import StepLine
from dragoman.evaluation.terminal import component_lines, painted, significance_table, stage_table
from rewards.records import RewardResult, Span


class Page(HTMLParser):
    """Elements, attributes and texts of a page, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "input", "link", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)

    def visible(self) -> str:
        hidden = ("script", "style")
        return " ".join(" ".join(text) for tag, text in self.texts.items() if tag not in hidden)

    def data(self) -> dict[str, Any]:
        """What the viewer reads."""
        return dict(json.loads(self.texts["script"][0]))


def copy_of(run: Path, target: Path, *stages: str) -> Path:
    """A run of which only some stages remain."""
    shutil.copytree(run, target)
    for stage in (target / "stages").iterdir():
        if stage.name not in stages:
            shutil.rmtree(stage)
    return target


def text_of(table: Any) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table)
    return console.export_text()


def stage(name: str, off_target: float, accuracy: float) -> Evaluation:
    """An evaluation of two suites with known figures and two math outcomes."""
    translation: Metrics = {"chrf": 50.0, "exact_match": 0.25, "off_target": off_target, "n": 4.0}
    outcomes = tuple(
        Outcome(f"m{n}", "math", "math", "slots", "1 + 1?", "2", "2", float(n < 2 * accuracy), correct=n < 2 * accuracy)
        for n in range(2)
    )
    return Evaluation(
        StageTitle(name, name),
        (
            SuiteResult("translation_zero_shot", "translation", translation, {"de-fr": translation}),
            SuiteResult("math", "math", {"accuracy": accuracy, "reward_greedy": accuracy}),
        ),
        outcomes,
    )


def test_stage_table_shows_figures_and_changes_from_the_parent() -> None:
    text = text_of(stage_table([stage("sft", 0.46, 0.5), stage("lat", 0.04, 0.5)]))
    rows = [re.findall(r"[+−]?\d+\.\d", line) for line in text.splitlines() if re.search(r"\d\.\d", line)]
    assert rows == [
        ["50.0", "50.0"], ["+0.0"],  # chrF
        ["25.0", "25.0"], ["+0.0"],  # exact
        ["46.0", "4.0"], ["−42.0"],  # off target
        ["50.0", "50.0"], ["+0.0"],  # accuracy
    ]  # fmt: skip
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


def test_both_tables_are_readable_at_80_columns(whole_run: Path) -> None:
    evaluations = read_run(whole_run).evaluations
    for table in (stage_table(evaluations), significance_table(*evaluations[-2:])):
        console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
        console.print(table)
        text = console.export_text()
        assert "…" not in re.sub(r"[+−]\d+\.\d+…[+−]", "", text), "something was cut"
        assert all(name in text for name in ("supervised", "zero-shot", "constraints", "preference"))


def test_metrics_that_training_optimised_are_marked(whole_run: Path) -> None:
    evaluations = [replace(e, shown=replace(e.shown, optimised=("chrf", "direction"))) for e in
                   read_run(whole_run).evaluations]  # fmt: skip
    names = {column.label(evaluations) for column in columns_of(evaluations)}
    assert {"chrF †", "off-target †", "adequacy", "off-target, CLD2", "accuracy"} <= names
    assert not any("†" in column.label(evaluations[:0]) for column in columns_of(evaluations))


def test_a_falling_off_target_ratio_is_better_a_falling_accuracy_worse() -> None:
    first, second = stage("sft", 0.46, 0.5), stage("lat", 0.04, 0.0)
    verdicts = {
        column.name: column.verdict(column.value(first), column.value(second)) for column in columns_of([first, second])
    }
    assert verdicts == {
        "chrF": "same", "adequacy": "same", "exact": "same", "off-target": "better", "off-target, CLD2": "same",
        "bits a byte": "same", "accuracy": "worse",
    }  # fmt: skip


def test_plain_sentences_carry_the_figures() -> None:
    evaluations = [stage("sft", 0.46, 1.0), stage("lat", 0.04, 0.5)]
    told = {finding.text: finding.good for finding in findings(evaluations, []) if finding.stage == "lat"}
    assert told == {
        "The off-target ratio in zero-shot directions went from 46.0 % to 4.0 %.": True,
        "The mean general score fell from 100.0 % to 50.0 %.": False,
    }


def test_significance_compares_the_same_rows() -> None:
    """One of two math rows gained: the difference is 0.5, and a resample shows none with chance 1/4."""
    (row,) = compare(stage("preference", 0, 0.5), stage("rl", 0, 1.0))
    assert (row.suite, row.measure) == ("math", "reward, greedy")
    assert (row.test.before, row.test.after, row.test.n) == (0.5, 1.0, 2)
    assert row.test.p_greater == pytest.approx(0.25, abs=0.02)
    assert "+0.500" in text_of(significance_table(stage("preference", 0, 0.5), stage("rl", 0, 1.0)))


def test_the_report_of_a_whole_run_has_every_part(whole_run: Path) -> None:
    path = write_report(whole_run)
    page = Page(path.read_text(encoding="utf-8"))
    headings = page.texts["h2"]
    assert headings == [
        "Stage by stage",
        "One sentence through the stages",
        "Translation against general skill",
        "Direction by direction",
        "How far from training?",
        "rl against preference, beyond chance?",
        "Observatory",
        "Learning curves",
        "Samples",
        "How it was made",
    ]
    assert [row["key"] for row in page.data()["stages"]] == ["base", "cpt", "sft", "lat", "preference", "rl"]
    assert len(page.data()["rows"]) == 120 and len(page.data()["rollouts"]) == 10
    assert not [path for path in whole_run.iterdir() if path.name.endswith(".partial")]


def test_the_report_shows_what_the_evaluations_say(whole_run: Path) -> None:
    page = Page(write_report(whole_run).read_text(encoding="utf-8"))
    last = read_run(whole_run).evaluations[-1].suite("translation_zero_shot")
    assert last and f"{last.metrics['chrf']:.1f}" in page.visible()
    assert f"{100 * (last.metrics['off_target'] or 0):.1f} %" in page.visible()


def test_new_fillings_and_new_templates_are_reported_apart(whole_run: Path) -> None:
    evaluations = read_run(whole_run).evaluations
    rows = {(row.suite, row.kind): row.cells for row in held_out_rows(evaluations)}
    assert len(rows) == 12
    math = [outcome for outcome in evaluations[-1].outcomes_of("math") if outcome.heldout == "template"]
    share = sum(bool(outcome.correct) for outcome in math) / len(math)
    assert rows["math", "new template"][-1] == f"{100 * share:.1f}"


def test_the_report_needs_no_network(whole_run: Path) -> None:
    text = write_report(whole_run).read_text(encoding="utf-8")
    page = Page(text)
    links = [value for _, given in page.tags for name, value in given.items() if name in ("src", "href", "xlink:href")]
    assert all(link and link.startswith("#") for link in links)
    assert "@import" not in text and "url(http" not in text


@pytest.mark.parametrize("stages", [("base",), ("sft", "lat"), ("base", "rl"), ()])
def test_partial_runs_are_reported(whole_run: Path, tmp_path: Path, stages: tuple[str, ...]) -> None:
    run = copy_of(whole_run, tmp_path / "run", *stages)
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert [row["key"] for row in page.data()["stages"]] == list(stages)
    assert ("Stage by stage" in page.texts["h2"]) == bool(stages)
    assert "Learning curves" in page.texts["h2"]


def test_a_run_without_metrics_samples_or_recipe_is_reported(whole_run: Path, tmp_path: Path) -> None:
    run = copy_of(whole_run, tmp_path / "run", "sft", "lat")
    for name in ("metrics.jsonl", "samples.jsonl", "recipe.yaml"):
        (run / name).unlink()
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert "Learning curves" not in page.texts["h2"] and "Stage by stage" in page.texts["h2"]


def test_stages_with_different_suites_are_reported(whole_run: Path, tmp_path: Path) -> None:
    run = copy_of(whole_run, tmp_path / "run", "sft", "lat")
    first = Evaluation.load(run / "stages" / "sft")
    math = tuple(suite for suite in first.suites if suite.name == "math")
    Evaluation(first.shown, math, tuple(first.outcomes_of("math"))).save(run / "stages" / "sft")
    assert "–" in Page(write_report(run).read_text(encoding="utf-8")).visible()


def test_a_line_cut_short_by_a_kill_is_skipped_and_told(whole_run: Path, tmp_path: Path) -> None:
    run = copy_of(whole_run, tmp_path / "run", "sft")
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"stage": "sft", "step": 9')
    assert read_run(run).skipped_lines == 1
    assert "1 line(s) cut short" in write_report(run).read_text(encoding="utf-8")


def test_a_folder_without_a_run_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RunRecordError, match=r"no-run is missing: start the run"):
        write_report(tmp_path / "no-run")
    (tmp_path / "bare").mkdir()
    with pytest.raises(RunRecordError, match=r"bare holds no evaluation and no metrics"):
        write_report(tmp_path / "bare")
    assert not (tmp_path / "bare" / "report.html").exists()


HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--<script>",
    "{{ 7 * 7 }}",
    "\u2028alert(1)//",
    "$\\frac{<iframe>",
)


def poison(run: Path) -> Path:
    """Hostile text wherever a model, a metric or a user can put some."""
    text = " ".join(HOSTILE)
    folder = run / "stages" / "sft"
    found = Evaluation.load(folder)
    mark = {"start": 0, "end": 9, "value": -1.0, "label": text}
    part = {"kind": text, "value": 0.5, "status": text, "detail": text, "latency_s": 0, "spans": [mark]}
    outcomes = [
        Outcome(
            **{
                **vars(o),
                "response": text,
                "prompt": text,
                "reference": text,
                "components": (RewardResult.from_dict({**part, "status": "ok"}),),
            }
        )
        for o in found.outcomes
    ]
    last = [Outcome(**{**vars(o), "response": text + str(n)}) for n, o in enumerate(outcomes)]
    right = [Outcome(**{**vars(o), "correct": True, "on_target": True}) for o in last]
    Evaluation(found.shown, found.suites, tuple(outcomes)).save(folder)
    Evaluation(StageTitle("lat", "lat"), found.suites, tuple(right)).save(run / "stages" / "lat")
    (run / "recipe.yaml").write_text(text, encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps({"note": text}), encoding="utf-8")
    name = f"entropy/{HOSTILE[-1]}"
    lines = [{"stage": text, "step": step, name: step, "entropy/x": 1} for step in range(4)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    rollout = {"task": text, "prompt": text, "response": text, "reward": float("nan"), "components": [part]}
    (run / "samples.jsonl").write_text(json.dumps(rollout) + "\n", encoding="utf-8")
    return run


def test_hostile_text_stays_text(whole_run: Path, tmp_path: Path) -> None:
    run = poison(copy_of(whole_run, tmp_path / "run", "sft", "lat"))
    text = write_report(run).read_text(encoding="utf-8")
    page = Page(text)
    scripts = [given for tag, given in page.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert not [tag for tag, _ in page.tags if tag in ("img", "iframe")]
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    assert "49" not in page.texts["pre"][0] and "{{ 7 * 7 }}" in page.texts["pre"][0]
    assert any("<iframe>" in drawn for drawn in page.texts["text"]), "the hostile metric was not drawn"
    assert page.data()["rows"][0]["prompt"] == " ".join(HOSTILE)
    assert page.data()["rollouts"][0]["reward"] is None
    for marked in (page.data()["rollouts"][0], page.data()["rows"][0]["answers"]["sft"]):
        assert marked["components"][0]["spans"] == [
            {"start": 0, "end": 9, "value": -1.0, "label": cut(" ".join(HOSTILE), 240)}
        ]


def test_spans_of_a_run_reach_the_viewer_with_a_legend_and_others_have_none(whole_run: Path, tmp_path: Path) -> None:
    run = copy_of(whole_run, tmp_path / "run", "rl")
    without = Page(write_report(run).read_text(encoding="utf-8"))
    assert "note legend" not in [given.get("class") for _, given in without.tags]
    spans = [{"start": 4, "end": 8, "value": -1.0, "label": "number"}, {"start": 1600, "end": 1700, "value": -1.0}]
    broken = [{"start": "x", "end": 3, "value": -1.0}, {"start": 3, "end": 3, "value": -1.0}]
    part = {"kind": "mt_instructions", "value": 0.5, "status": "ok", "spans": spans + broken}
    lines = [
        {"step": 0, "prompt": "p", "response": "Die 17 " * 300, "components": [part]},
        {"step": 1, "components": []},
    ]
    (run / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    page = Page(write_report(run).read_text(encoding="utf-8"))
    (shown,) = page.data()["rollouts"][0]["components"]
    assert shown["spans"] == [{"start": 4, "end": 8, "value": -1.0, "label": "number"}]  # the text is cut at 1,500
    assert "note legend" in [given.get("class") for _, given in page.tags]
    assert [len(rollout.components[0].spans) for rollout in read_run(run).rollouts if rollout.components] == [2]


def test_the_terminal_paints_what_was_marked() -> None:
    part = RewardResult("mt", 0.5, spans=(Span(0, 3, -1.0, "wrong"), Span(4, 6, 0.2), Span(7, 8, -0.2)))
    text = painted("狗是 [b] é", (part, RewardResult("chrf", 1.0)))
    assert text.plain == "狗是 [b] é"
    assert [(s.start, s.end, str(s.style)) for s in text.spans] == [
        (0, 3, "bold underline red"), (4, 6, "underline green"), (7, 8, "underline red")
    ]  # fmt: skip
    lines = component_lines("狗是 [b] é", (part,)).plain.splitlines()
    assert lines == ["mt 0.5", "  '狗是 ': -1 wrong", "  'b]': +0.2", "  'é': -0.2"]
    lost = RewardResult("mt", 0.5, spans=(Span(0, 8, -1.0, "number lost: 17"),))
    assert not painted("狗是 [b] é", (lost,)).spans
    assert component_lines("狗是 [b] é", (lost,)).plain == "mt 0.5\n  all of it: -1 number lost: 17"


def test_only_the_pages_own_script_may_run(whole_run: Path) -> None:
    page = Page(write_report(whole_run).read_text(encoding="utf-8"))
    policy = next(given["content"] for tag, given in page.tags if given.get("http-equiv"))
    script = "".join(page.texts["script"][1:])
    assert policy and f"script-src '{script_hash(script)}'" in policy and "default-src 'none'" in policy
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script and "eval(" not in script


def test_safe_json_reads_back_and_cannot_end_its_element() -> None:
    text = safe_json({"a": HOSTILE})
    assert json.loads(text) == {"a": list(HOSTILE)}
    assert not set("<>&\u2028") & set(text)


def test_rows_are_spread_evenly_when_there_are_many() -> None:
    assert spread(3, 5) == [0, 1, 2]
    assert spread(100, 4) == [0, 25, 50, 75]


def test_rollouts_are_kept_evenly_from_a_long_file(whole_run: Path, tmp_path: Path) -> None:
    run = copy_of(whole_run, tmp_path / "run", "sft")
    lines = "".join(json.dumps({"step": step}) + "\n" for step in range(1000))
    (run / "samples.jsonl").write_text(lines, encoding="utf-8")
    record = read_run(run, rollout_limit=10)
    assert [rollout.step for rollout in record.rollouts] == list(range(0, 1000, 100))
    assert record.rollouts_total == 1000


def test_curves_take_numbers_and_leave_the_rest(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"stage": "rl", "step": 0, "time": 1, "loss": 2.0, "note": "x", "done": True, "kl": float("nan")},
        {"stage": "rl", "step": 5, "time": 2, "loss": 1.0, "reward/math": 0.5, "reward_std": 1.0},
        {"stage": "rl", "step": 6, "time": 3, "reward/math": 0.6, "reward_std": 1.0},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = curves_of(read_run(tmp_path).metrics["rl"])
    curves = {curve.name: (curve.steps, curve.values) for curve in found}
    assert curves["loss"] == ((0.0, 5.0), (2.0, 1.0))
    assert not {"note", "done", "kl", "time", "step"} & set(curves)
    panels = {title: [curve.name for curve in panel] for title, panel in panels_of(found)}
    assert panels == {"loss": ["loss"], "reward": ["reward/math"]}


def test_smoothing_keeps_a_line_and_evens_out_noise() -> None:
    line = [float(n) for n in range(60)]
    assert smoothed(line)[5:-5] == pytest.approx(line[5:-5])
    assert smoothed([0.0, 1.0] * 30)[30] == pytest.approx(0.5, abs=0.1)


def test_drawings_follow_the_theme_and_share_no_ids() -> None:
    curves = curves_of([StepLine(n, {"loss": 1.0 / (n + 1)}) for n in range(3)])
    path = frontier([FrontierPoint("sft", 40.0, 30.0), FrontierPoint("rl", 60.0, 50.0)])
    assert path
    drawings = [learning_curve("loss", curves, "a").svg, learning_curve("loss", curves, "b").svg, path.svg]
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in drawings]
    assert all(ids) and len(set.union(*ids)) == sum(map(len, ids))
    for svg, own in zip(drawings, ids, strict=True):
        references = re.findall(r'(?:href="|url\()#([^")]+)', svg)
        assert references and set(references) <= own
        assert "var(--c1)" in svg and "#0a00" not in svg


def test_labels_do_not_cover_each_other() -> None:
    spots = [(100.0, 100.0), (103.0, 104.0), (300.0, 200.0)]
    centres = place_labels(spots, ["preference", "lat", "rl"])
    boxes = [(x - 2.7 * n, y - 5.5, x + 2.7 * n, y + 5.5) for (x, y), n in zip(centres, (10, 3, 2), strict=True)]
    for number, first in enumerate(boxes):
        for second in boxes[number + 1 :]:
            apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
            assert apart
