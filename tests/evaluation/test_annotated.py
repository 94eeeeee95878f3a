"""Tower's tasks as suites: rows from files, judged answers, figures against scipy, sacrebleu and hand counts."""

import asyncio
import json
import random

import numpy as np
import pytest
import sacrebleu
from scipy import stats

from dragoman.evaluation.answering import Decoding
from dragoman.evaluation.answering.outputs import OutputsAnswerer
from dragoman.evaluation.corpus_metrics import find_metric
from dragoman.evaluation.local_scorer import LocalScorer
from dragoman.evaluation.standalone import Job, run_job
from dragoman.evaluation.suite_files import SuiteFileError, load_suite_files
from tests.evaluation.sentences import ENGLISH, GERMAN

TEXT = "Das ist ein Fehler und noch ein Fehler."
SUITES = {
    "post_editing": [
        {"source": ENGLISH[n], "draft": GERMAN[n].replace("e", "x"), "reference": GERMAN[n]} for n in range(4)
    ],
    "error_spans": [
        {"source": "This is an error.", "translation": TEXT,
         "annotations": [{"start": 12, "end": 18, "severity": "major"}]},
        {"source": "This is an error.", "translation": TEXT, "annotations": []},
    ],
    "quality": [{"source": "Hi", "translation": "Hallo", "score": n * 10} for n in (3, 9, 1, 7)],
    "named_entities": [
        {"tokens": ["Anna", "sang"], "tags": ["B-PER", "O"]}, {"tagged": "<PER>Al</PER> saw <LOC>Rome</LOC> ."},
    ],
    "grammar": [{"source": "She go every days .", "reference": "She goes every day ."}],
}  # fmt: skip
ANSWERS = {
    "post_editing": [GERMAN[0], GERMAN[1].replace("e", "x"), GERMAN[2], ENGLISH[3]],
    "error_spans": ['"Fehler" - minor', '"noch" - minor'],
    "quality": ["20", "no idea", "10", "90"],
    "named_entities": ['[("Anna", "B-PER"), ("sang", "O")]', "<PER>Al</PER> saw Rome."],
    "grammar": ["She goes every days ."],
}


def suite(folder, task, more="", rows=None):
    lines = "".join(json.dumps(row) + "\n" for row in rows or SUITES[task])
    (folder / f"{task}_rows.jsonl").write_text(lines)
    text = f"task: {task}\nsources: {{path: {task}_rows.jsonl, languages: [en, de]}}\n{more}"
    (folder / f"{task}.yaml").write_text(text)
    return load_suite_files([str(folder / f"{task}.yaml")])[0]


def answered(folder, task, answers, rows=None):
    loaded = suite(folder, task, rows=rows)
    path = folder / "outputs.jsonl"
    given = [{"id": p.id, "response": a} for p, a in zip(loaded.suite.prompts, answers, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    job = Job((loaded,), OutputsAnswerer(path, [p.id for p in loaded.suite.prompts]), Decoding())
    evaluation = asyncio.run(run_job(job, None, LocalScorer(), lambda *_: None))
    return {value.name: value for value in evaluation.suites[0].measured}, evaluation


def test_marked_errors_over_the_corpus_by_hand(tmp_path):
    found, evaluation = answered(tmp_path, "error_spans", ANSWERS["error_spans"])
    # 6 characters half right (3), 6 + 4 given, 6 wanted
    assert found["span_precision"].value == pytest.approx(0.3) and found["span_recall"].value == pytest.approx(0.5)
    assert found["span_f1"].value == pytest.approx(2 * 0.3 * 0.5 / 0.8)
    assert evaluation.suites[0].metrics["span_f1"] == pytest.approx(found["span_f1"].value)
    assert evaluation.outcomes[0].direction == "en-de"


def test_entities_and_edits_over_the_corpus_by_hand(tmp_path):
    found, _ = answered(tmp_path, "named_entities", ANSWERS["named_entities"])
    assert (found["entity_precision"].value, found["entity_recall"].value) == (1.0, pytest.approx(2 / 3))
    assert found["entity_f1"].value == pytest.approx(0.8)
    found, _ = answered(tmp_path, "grammar", ANSWERS["grammar"])
    assert found["edit_f0.5"].value == pytest.approx(5 / 6)
    assert found["ter"].value == pytest.approx(20.0)  # one wrong word of five


def test_post_editing_is_measured_by_its_gain(tmp_path):
    found, evaluation = answered(tmp_path, "post_editing", ANSWERS["post_editing"])
    drafts, references = [row["draft"] for row in SUITES["post_editing"]], GERMAN[:4]
    for name, figure in (("draft_gain", sacrebleu.corpus_chrf), ("draft_ter_gain", sacrebleu.corpus_ter)):
        gain = figure(ANSWERS["post_editing"], [references]).score - figure(drafts, [references]).score
        assert found[name].value == pytest.approx(gain if name == "draft_gain" else -gain, abs=1e-4)
    metrics = evaluation.suites[0].metrics
    assert metrics["improved"] == 0.5 and metrics["off_target"] > 0  # one draft handed back, one answer in English


def test_ratings_correlate_as_scipy_says(tmp_path):
    found, _ = answered(tmp_path, "quality", ANSWERS["quality"])
    people, given = [30, 90, 10, 70], [20, 40, 10, 90]  # what is no rating stands for the mean of the others
    assert found["spearman"].value == pytest.approx(stats.spearmanr(people, given).statistic)
    assert found["pearson"].value == pytest.approx(stats.pearsonr(people, given).statistic)
    assert found["kendall"].value == pytest.approx(stats.kendalltau(people, given).statistic)
    assert found["unread"].value == 0.25 and found["spearman"].signature == "unread:1 of 4"
    found, _ = answered(tmp_path, "quality", ["5"] * 4)
    assert found["spearman"].value is None and "all the same" in found["spearman"].reason


def test_correlations_with_ties_are_scipys():
    from tests.evaluation.test_corpus_metrics import outcome

    draw = random.Random(1)
    pairs = [(float(draw.randrange(6)), float(draw.randrange(6))) for _ in range(60)]
    rows = [outcome(n, "x", "y", task="quality", counts=pair) for n, pair in enumerate(pairs)]
    people, given = np.asarray(pairs).T
    expected = {
        "spearman": stats.spearmanr(people, given), "pearson": stats.pearsonr(people, given),
        "kendall": stats.kendalltau(people, given),
    }  # fmt: skip
    for name, wanted in expected.items():
        assert find_metric(name).measure(rows).value == pytest.approx(wanted.statistic)


def test_what_no_row_has_is_empty_with_its_reason(tmp_path):
    found, evaluation = answered(tmp_path, "error_spans", ["No errors."], SUITES["error_spans"][1:])
    assert found["span_f1"].value is None and found["span_f1"].reason == "the answers give nothing"
    assert evaluation.suites[0].metrics["span_f1"] is None
    assert "task grammar alone" in find_metric("edit_recall").measure(evaluation.outcomes).reason


@pytest.mark.parametrize("task", SUITES)
def test_every_task_is_asked_with_all_that_it_needs(tmp_path, task):
    for prompt, row in zip(suite(tmp_path, task).suite.prompts, SUITES[task], strict=True):
        texts = [text for name, text in row.items() if name in ("source", "draft", "translation")]
        assert all(text in prompt.question for text in texts) and "{" not in prompt.question
        assert prompt.task == task and prompt.columns["place"].startswith(f"{task}_rows.jsonl:")
    if task in ("post_editing", "error_spans", "quality"):
        assert "German translation of the English text" in prompt.question


def test_columns_and_scale_are_named_in_the_suite(tmp_path):
    (tmp_path / "w.tsv").write_text(
        'src\tmt\terrors\nA\tEins zwei\t[{"start": 0, "end": 4, "severity": "Major"}]\n', encoding="utf-8"
    )
    (tmp_path / "w.yaml").write_text(
        "task: error_spans\nsources: {path: w.tsv, languages: [en, de]}\n"
        "labels: {source: src, translation: mt, spans: errors}\nprompt: {template: '{source} | {translation}'}\n"
    )
    (prompt,) = load_suite_files([str(tmp_path / "w.yaml")])[0].suite.prompts
    assert prompt.question == "A | Eins zwei" and prompt.columns["spans"][0]["end"] == 4


@pytest.mark.parametrize(
    ("task", "change", "told"),
    [
        ("post_editing", {"draft": None}, r"post_editing_rows.jsonl:1 has no text in column 'draft'.*labels.draft"),
        ("error_spans", {"annotations": "x"}, "no list and no JSON of one in column 'annotations'"),
        ("error_spans", {"annotations": [{"start": 5}]}, r"rows.jsonl:1, kind 'error_spans': span 0"),
        ("quality", {"score": 300}, "gold 300 must lie on the scale from low 0 to high 100"),
        ("quality", {"score": "good"}, "no number in column 'score'"),
        ("named_entities", {"tags": [0, 1]}, "'tags' that is no text; write tags as names"),
        ("named_entities", {"tokens": None}, "labels.tokens"),
        ("grammar", {"reference": []}, "labels.reference"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, task, change, told):
    with pytest.raises(SuiteFileError, match=told):
        suite(tmp_path, task, rows=[{**SUITES[task][0], **change}])


def test_a_template_must_hold_what_is_judged(tmp_path):
    with pytest.raises(SuiteFileError, match=r"a post_editing suite must hold \{draft\}"):
        suite(tmp_path, "post_editing", "prompt: {template: 'x {source}'}\n")
