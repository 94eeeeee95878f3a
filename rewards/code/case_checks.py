"""The arguments of a `code` row: checked when data is loaded, turned into a sandbox job when scored."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewards.sandbox import Job

MODES = ("call", "stdio", "assert")
_REQUIRED = {"call": ("expected",), "stdio": ("stdin", "expected")}
_ALLOWED = {"call": ("args", "kwargs", "expected"), "stdio": ("stdin", "expected")}


def check_code(args: Mapping[str, Any]) -> None:
    """ValueError naming the argument, the case and what to do."""
    mode = args.get("mode", "call")
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")
    if mode == "assert":
        _check_tests(joined(args.get("tests", "")))
        return
    cases = args.get("cases")
    if not isinstance(cases, (list, tuple)) or not cases:
        raise ValueError(f"mode {mode!r} needs 'cases', a non-empty list")
    if mode == "call" and not args.get("entry"):
        raise ValueError("mode 'call' needs 'entry', the name of the function to call")
    for number, case in enumerate(cases, start=1):
        _check_case(f"case {number}", case, mode)


def job_of(
    id: str,
    program: str,
    mode: str,
    entry: str,
    cases: Sequence[Mapping[str, Any]],
    tests: str | Sequence[str],
    cpu_s: int,
    memory_mb: int,
) -> Job:
    """What the sandbox is asked to run: the program, its tests in the form of the mode, and the limits."""
    from rewards.sandbox import Case, Job, Limits

    limits = Limits(cpu_s=cpu_s, memory_bytes=memory_mb << 20)
    parsed = [Case(c.get("args", ()), c.get("kwargs", {}), c.get("stdin", ""), c["expected"]) for c in cases]
    return Job(id, mode, program, entry, parsed, joined(tests), limits)  # type: ignore[arg-type]


def joined(tests: str | Sequence[str]) -> str:
    """MBPP keeps its asserts in a list, HumanEval in one text."""
    return tests if isinstance(tests, str) else "\n".join(tests)


def _check_tests(tests: str) -> None:
    try:
        tree = ast.parse(tests)
    except SyntaxError as error:
        raise ValueError(f"'tests' is no Python: {error}") from error
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        raise ValueError("mode 'assert' needs 'tests', Python source with at least one assert")


def _check_case(where: str, case: Any, mode: str) -> None:
    from rewards.sandbox.compare import is_plain

    if not isinstance(case, Mapping):
        raise ValueError(f"{where} must be a mapping, not {type(case).__name__}")
    for name in _REQUIRED[mode]:
        if name not in case:
            raise ValueError(f"{where} has no {name!r}")
    for name in case:
        if name not in _ALLOWED[mode]:
            raise ValueError(f"{where}: unknown key {name!r}; a {mode} case has {', '.join(_ALLOWED[mode])}")
    if mode == "call" and not (isinstance(case.get("args", []), (list, tuple)) and is_plain(dict(case))):
        raise ValueError(f"{where}: 'args' must be a list, and every value plain data")
    if mode == "stdio" and not all(isinstance(case[name], str) for name in ("stdin", "expected")):
        raise ValueError(f"{where}: 'stdin' and 'expected' must be texts")
