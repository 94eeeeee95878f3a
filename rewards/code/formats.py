"""Rows from the files that code data comes in: HumanEval, MBPP, and inputs/outputs pairs (APPS, TACO, PRIME).

| format | told by | becomes |
|---|---|---|
| HumanEval | `entry_point`, `test` | mode assert; the prompt's own imports and helpers come before the tests |
| MBPP | `test_list` | mode assert, with `test_setup_code` or `test_imports` before it |
| inputs / outputs | `input_output` (a mapping or its JSON text) | mode call when it names `fn_name`, else stdio |

`gold_response` is the data set's own solution where it has one, so that `dragoman rewards check` can try it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rewards.errors import RowError

Record = Mapping[str, Any]


def format_of(record: Record) -> str | None:
    """`humaneval`, `mbpp`, `input_output`; None for a row of this project or of anything else."""
    if "rewards" in record:
        return None
    if "entry_point" in record and "test" in record:
        return "humaneval"
    if "test_list" in record:
        return "mbpp"
    return "input_output" if "input_output" in record else None


def row_of(record: Record, number: int) -> dict[str, Any]:
    """The record as a row with a `code` reward; other records come back as they are. RowError names what is missing."""
    form = format_of(record)
    if form is None:
        return dict(record)
    try:
        return _READERS[form](record, number)
    except (KeyError, TypeError, ValueError) as error:
        raise RowError(f"row {number}: looks like {form}, but {type(error).__name__}: {error}") from error


def _humaneval(record: Record, number: int) -> dict[str, Any]:
    tests = f"{_helpers(record['prompt'], record['entry_point'])}\n{record['test']}\ncheck({record['entry_point']})\n"
    row = _row(record, record.get("task_id", f"humaneval-{number}"), record["prompt"])
    row["rewards"] = [{"kind": "code", "args": {"mode": "assert", "entry": record["entry_point"], "tests": tests}}]
    if record.get("canonical_solution"):
        row["gold_response"] = record["prompt"] + record["canonical_solution"]
    return row


def _mbpp(record: Record, number: int) -> dict[str, Any]:
    setup = record.get("test_setup_code") or "\n".join(record.get("test_imports") or [])
    tests = "\n".join([setup, *record["test_list"]]).strip()
    row = _row(record, f"mbpp-{record.get('task_id', number)}", record.get("text") or record["prompt"])
    row["rewards"] = [{"kind": "code", "args": {"mode": "assert", "tests": tests}}]
    if record.get("code"):
        row["gold_response"] = record["code"]
    return row


def _input_output(record: Record, number: int) -> dict[str, Any]:
    given = record["input_output"]
    pairs = json.loads(given) if isinstance(given, str) else given
    inputs, outputs = pairs["inputs"], pairs["outputs"]
    if len(inputs) != len(outputs) or not inputs:
        raise ValueError(f"{len(inputs)} inputs and {len(outputs)} outputs; it needs as many of both")
    name = pairs.get("fn_name")
    if name:
        # APPS wraps each expected value of a call into a list of one
        wrapped = all(isinstance(one, list) and len(one) == 1 for one in outputs)
        cases = [{"args": i, "expected": o[0] if wrapped else o} for i, o in zip(inputs, outputs, strict=True)]
        args: dict[str, Any] = {"mode": "call", "entry": name, "cases": cases}
    else:
        args = {
            "mode": "stdio",
            "cases": [{"stdin": _text(i), "expected": _text(o)} for i, o in zip(inputs, outputs, strict=True)],
        }
    row = _row(record, record.get("problem_id", record.get("id", f"code-{number}")), record["question"])
    row["rewards"] = [{"kind": "code", "args": args}]
    solutions = record.get("solutions")
    if solutions:
        found = json.loads(solutions) if isinstance(solutions, str) else solutions
        row["gold_response"] = found[0]
    return row


_READERS: dict[str, Callable[[Record, int], dict[str, Any]]] = {
    "humaneval": _humaneval,
    "mbpp": _mbpp,
    "input_output": _input_output,
}


def _row(record: Record, identifier: Any, prompt: str) -> dict[str, Any]:
    kept = {name: record[name] for name in ("response", "expected") if name in record}
    return {"id": str(identifier), "prompt": prompt, **kept}


def _helpers(prompt: str, entry: str) -> str:
    """What stands before the function in the prompt (imports, helper functions the tests also use)."""
    head, found, _ = prompt.partition(f"def {entry}(")
    return head if found else ""


def _text(value: Any) -> str:
    """APPS gives lines as a list here and there."""
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
