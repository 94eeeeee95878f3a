"""Answers beside a baseline's, judged over an endpoint in both orders: what a judge of known taste makes of them."""

import asyncio
import json
import re

import pytest

from dragoman.evaluation.answering import Decoding
from dragoman.evaluation.answering.outputs import OutputsAnswerer
from dragoman.evaluation.local_scorer import LocalScorer
from dragoman.evaluation.standalone import Job, run_job
from dragoman.evaluation.suite_files import SuiteFileError, load_suite_files
from rewards.calling import call
from rewards.models.pairwise_judge import win_of
from rewards.records import RewardSpec
from rewards.registry import find_kind
from tests.rewards.test_judge import Server, mark_in

ROWS = [
    {"instruction": "Name a river.", "output": "Elbe"}, {"instruction": "Name a hill.", "output": "a big hill"},
    {"instruction": "Name a town.", "output": "Bonn"}, {"instruction": "Name a lake.", "output": "lake"},
]  # fmt: skip
ANSWERS = ["the good Elbe", "a hill", "good", "pond"]


@pytest.fixture
def server():
    started = Server()
    yield started
    started.stop()


def judge_by(taste):
    """A judge that ranks by a number of each text, the higher the better; equal numbers are equal texts to it."""

    def answer(body):
        told = body["messages"][-1]["content"]
        mark = mark_in(body)
        texts = re.findall(rf"ANSWER ([AB]).*?<<<{mark}\n(.*?)\n{mark}>>>", told, re.DOTALL)
        worth = {label: taste(label, text) for label, text in texts}
        assert set(worth) == {"A", "B"}
        best = sorted(worth, key=lambda label: -worth[label])
        ranking = [best] if worth["A"] == worth["B"] else [[label] for label in best]
        return json.dumps({"mark": mark, "reason": "so", "ranking": ranking})

    return answer


def judged(server, response, baseline="Bonn"):
    args = {"endpoint": server.address, "judge_model": "j"}
    row = {"id": "a", "prompt": "Name a town.", "baseline": baseline, "response": response}
    return call(find_kind("pairwise_judge"), RewardSpec("pairwise_judge", args=args), row)


def test_a_win_needs_both_orders_and_a_taste_for_a_place_is_a_half(server):
    server.answer = judge_by(lambda label, text: "good" in text)
    assert [judged(server, text).value for text in ("good", "bad")] == [1.0, 0.5]  # the second is a tie
    assert judged(server, "bad", baseline="good").value == 0.0
    assert len(server.requests) == 6 and "Name a town." in server.requests[0]["messages"][-1]["content"]
    server.answer = judge_by(lambda label, text: label == "A")  # always what it reads first
    found = judged(server, "great")
    assert found.value == 0.5 and set(found.detail.split(", ")) == {"better", "worse"}


def test_equal_texts_are_a_half_that_nobody_is_asked_about(server):
    assert judged(server, "Bonn").value == 0.5 and not server.requests


def test_no_verdict_is_an_error_and_no_number(server):
    server.answer = lambda body: "A is better"
    found = judged(server, "great")
    assert found.value is None and found.status == "error" and "no proper verdict" in found.detail


def test_wins_by_hand():
    win, loss, tie = ((0,), (1,)), ((1,), (0,)), ((0, 1),)
    assert [win_of(*two) for two in ((win, win), (loss, loss), (win, loss), (tie, tie), (win, tie), (tie, loss))] == [
        1.0, 0.0, 0.5, 0.5, 0.5, 0.5,
    ]  # fmt: skip


def suite(folder, address, rows=ROWS):
    (folder / "baseline.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "chat.yaml").write_text(
        "task: pairwise\nsources: {path: baseline.jsonl}\nlabels: {prompt: instruction, baseline: output}\n"
        f"rewards: [{{kind: pairwise_judge, args: {{endpoint: '{address}', judge_model: j}}}}]\n"
    )
    return load_suite_files([str(folder / "chat.yaml")])[0]


def evaluated(folder, server, rows=ROWS, answers=ANSWERS):
    loaded = suite(folder, server.address, rows)
    given = [{"id": p.id, "response": a} for p, a in zip(loaded.suite.prompts, answers, strict=True)]
    (folder / "outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    answerer = OutputsAnswerer(folder / "outputs.jsonl", [p.id for p in loaded.suite.prompts])
    evaluation = asyncio.run(run_job(Job((loaded,), answerer, Decoding()), None, LocalScorer(), lambda *_: None))
    return loaded, {value.name: value for value in evaluation.suites[0].measured}, evaluation.suites[0].metrics


def test_the_win_rate_has_an_interval_and_the_length_beside_it(server, tmp_path):
    server.answer = judge_by(lambda label, text: "good" in text)
    loaded, found, metrics = evaluated(tmp_path, server)
    assert loaded.suite.prompts[0].question == "Name a river."
    assert found["win_rate"].value == metrics["win_rate"] == 0.75  # two wins, two ties
    assert 0.5 <= found["win_rate"].low < 0.75 < found["win_rate"].high <= 1
    assert (found["wins"].value, found["losses"].value) == (0.5, 0.0)
    assert found["characters_longer"].value == pytest.approx((9 - 4 + 0 + 0) / 4)


def test_rows_without_a_verdict_are_told_and_count_nowhere(server, tmp_path):
    kind = judge_by(lambda label, text: "good" in text)
    server.answer = lambda body: "?" if "Name a hill." in body["messages"][-1]["content"] else kind(body)
    _, found, _ = evaluated(tmp_path, server)
    assert found["win_rate"].value == pytest.approx(2.5 / 3) and found["win_rate"].signature == "rows:3 of 4"


def test_what_the_suite_lacks_is_named(tmp_path):
    with pytest.raises(SuiteFileError, match=r"baseline.jsonl:1 has no text in column 'output'.*labels.baseline"):
        suite(tmp_path, "http://x/v1", [{"instruction": "Name a river."}])
    (tmp_path / "bare.yaml").write_text("task: pairwise\nsources: {path: baseline.jsonl}\n")
    with pytest.raises(SuiteFileError, match="task pairwise needs rewards"):
        load_suite_files([str(tmp_path / "bare.yaml")])
