"""Trying a data set's rewards, and scoring files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rewards import RewardError, RewardPools, RewardSpec, reward
from rewards.doors.check import check_rows, gold_response, probes_of
from rewards.doors.score import read_rows, score_file
from rewards.records import Probe, Row
from rewards.registry import _KINDS

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


def test_a_kind_registered_from_outside_brings_its_own_gold_answer_and_cheats() -> None:
    def gold(spec: RewardSpec, row: Row) -> str | None:
        return spec.argument("wanted", row)

    def cheats(spec: RewardSpec, row: Row) -> list[Probe]:
        return [Probe("both ways", "yes and no")]

    @reward("says", gold=gold, cheats=cheats)
    def says(response: str, wanted: str) -> float:
        return float(wanted in response)

    try:
        row = {"id": "s", "wanted": "yes", "rewards": [{"kind": "repetition"}, {"kind": "says"}]}
        assert gold_response(row) == "yes"
        assert gold_response({**row, "rewards": [{"kind": "says", "args": {"wanted": "no"}}]}) == "no"
        found = {probe.name: (probe.response, probe.must_pass) for probe in probes_of(row)}
        assert found["gold"] == ("yes", True) and found["both ways"] == ("yes and no", False)
    finally:
        del _KINDS["says"]


def test_the_cheats_of_a_row_are_those_of_its_kinds_and_never_its_gold_answer() -> None:
    assert {"two answers", "an equation"} <= {probe.name for probe in probes_of(MATH)}
    assert {"exits with success", "equals everything"} <= {probe.name for probe in probes_of(CODE)}
    assert [p.response for p in probes_of(TRANSLATION) if p.name == "gold repeated"] == [
        " ".join(["Das Haus ist alt und ruhig."] * 6)
    ]
    copied = {**MATH, "prompt": "\\boxed{7}"}
    assert "prompt copied" not in {probe.name for probe in probes_of(copied)}


def test_a_line_separator_inside_a_text_does_not_cut_the_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**MATH, "prompt": "3\u2028+ 4?"}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [row["prompt"] for row in read_rows(path)] == ["3\u2028+ 4?"]


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
    [
        ('{"id": 1}\n\n{oops', [":3", "JSON"]),
        ("[1]", [":1", "list"]),
        ('{"id": 1}\n{"test_list": []}', ["row 2", "mbpp"]),
    ],
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


def test_a_row_with_expected_is_judged_by_its_own_response(pools: RewardPools) -> None:
    right = {**MATH, "response": "\\boxed{7}", "expected": 1.0}
    between = {**MATH, "response": "\\boxed{7}", "expected": [0.2, 0.8]}
    refused = {**MATH, "response": "\\boxed{7}", "expected": None, "rewards": [{"kind": "math", "args": {"gold": ""}}]}
    wrong = {**MATH, "response": "\\boxed{7}", "expected": None}
    report = check_rows(pools, [right, between, refused, wrong, {**refused, "expected": 0.0}])
    assert (report.rows, report.probes, report.rows_without_gold) == (5, 5, 0)
    assert [(m.number, m.reward, m.wanted) for m in report.misbehaviours] == [
        (2, 1.0, "0.2 to 0.8"),
        (4, 1.0, "no reward"),
        (5, None, "0"),
    ]
    assert "row 5 (id 'm')" in report.misbehaviours[2].detail


@pytest.mark.parametrize(
    ("change", "named"), [({"expected": "much"}, "expected is 'much'"), ({"response": 7}, "response")]
)
def test_a_malformed_case_names_its_row(change: Row, named: str) -> None:
    case = {**MATH, "response": "\\boxed{7}", "expected": 1.0}
    with pytest.raises(RewardError, match=f"row 2.*{named}"):
        check_rows(None, [case, {**case, **change}])
