"""Trying a data set's rewards, and scoring files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rewards import RewardError, RewardPools
from rewards.doors.check import check_rows, gold_response, read_rows, score_file

MATH = {"id": "m", "prompt": "3 + 4?", "rewards": [{"kind": "math", "args": {"gold": "7"}}]}
CODE = {
    "id": "c",
    "prompt": "Write f.",
    "solution": "def f(n): return n + 1",
    "rewards": [{"kind": "code", "args": {"entry": "f", "cases": [{"args": [1], "expected": 2}]}}],
}
TRANSLATION = {
    "id": "t",
    "prompt": "Translate to German: The house is old and quiet.",
    "rewards": [
        {"kind": "chrf", "args": {"reference": "Das Haus ist alt und ruhig."}},
        {"kind": "direction", "args": {"source": "en", "target": "de"}},
        {"kind": "repetition"},
    ],
}


@pytest.fixture(scope="module")
def pools(local_ray: None) -> Iterator[RewardPools]:
    with RewardPools(run_name="check") as started:
        yield started


def test_sound_rows_pass(pools: RewardPools) -> None:
    report = check_rows(pools, [MATH, CODE, TRANSLATION])
    assert report.passed, report.misbehaviours
    assert (report.rows, report.rows_without_gold) == (3, 0)
    assert report.probes >= 12


def test_rows_of_a_preference_label_and_of_an_edit_rate_pass(pools: RewardPools) -> None:
    label = {"id": "p", "prompt": "Which?", "rewards": [{"kind": "preference_label", "args": {"gold": "B"}}]}
    ter = {**TRANSLATION, "rewards": [{"kind": "ter", "args": {"reference": "Das Haus ist alt und ruhig."}}]}
    assert (gold_response(label), gold_response(ter)) == ("B", "Das Haus ist alt und ruhig.")
    report = check_rows(pools, [label, ter])
    assert report.passed, report.misbehaviours


def test_a_wrong_solution_and_a_leaky_row_are_found(pools: RewardPools) -> None:
    broken = {**CODE, "id": "broken", "solution": "def f(n): return n"}
    anything = {
        "id": "leaky",
        "prompt": "Hi",
        "rewards": [{"kind": "length_band", "args": {"reference": "Hello"}}],
    }
    report = check_rows(pools, [MATH, broken, anything])
    found = {(m.number, m.id, m.probe) for m in report.misbehaviours}
    assert (2, "broken", "gold") in found
    assert (3, "leaky", "prompt copied") in found
    assert not any(number == 1 for number, _, _ in found)
    assert report.rows_without_gold == 1


def test_where_the_gold_answer_comes_from() -> None:
    assert gold_response(MATH) == "\\boxed{7}"
    assert gold_response(CODE) == "def f(n): return n + 1"
    assert gold_response(TRANSLATION) == "Das Haus ist alt und ruhig."
    assert gold_response({**MATH, "gold_response": "It is \\boxed{7}."}) == "It is \\boxed{7}."
    assert gold_response({"id": "x", "rewards": [{"kind": "repetition"}]}) is None


def test_a_file_of_responses_is_scored(pools: RewardPools, tmp_path: Path) -> None:
    source, target, seen = tmp_path / "in.jsonl", tmp_path / "out.jsonl", list[tuple[int, int]]()
    rows: list[dict[str, Any]] = [{**MATH, "id": str(i), "response": f"\\boxed{{{i}}}"} for i in range(10)]
    source.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    score_file(pools, source, target, lambda done, total: seen.append((done, total)), chunk=4)
    written = [json.loads(line) for line in target.read_text().splitlines()]
    assert [s["reward"] for s in written] == [float(i == 7) for i in range(10)]
    assert [s["id"] for s in written] == [str(i) for i in range(10)]
    assert seen == [(4, 10), (8, 10), (10, 10)]


@pytest.mark.parametrize(
    ("text", "words"),
    [('{"id": 1}\n{oops', ["line 2", "JSON"]), ("[1]", ["line 1", "list"])],
)
def test_a_broken_file_is_named_by_line(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(RewardError) as caught:
        list(read_rows(path))
    assert all(word in str(caught.value) for word in [str(path), *words])


def test_a_row_without_a_response_is_named(pools: RewardPools, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(MATH))
    with pytest.raises(RewardError, match=r"row 1 .*response"):
        score_file(pools, path, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()
