"""The arguments of a `code` row: checked when data is loaded, turned into a sandbox job when scored."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rewards.sandbox.compare import WHITESPACE, is_plain
from rewards.sandbox.inside.wire import encode, pack

if TYPE_CHECKING:
    from rewards.sandbox import Job, Limits

MODES = ("call", "stdio", "assert")
_LIMITS = {"cpu_s": 1, "memory_mb": 64, "output_mb": 0, "tolerance": 0}
"""The least that each number of a row may be"""
_REQUIRED = {"call": ("expected",), "stdio": ("stdin", "expected")}
_ALLOWED = {"call": ("args", "kwargs", "expected"), "stdio": ("stdin", "expected")}


@dataclass(frozen=True)
class Comparison:
    """How a program's answers are compared with the expected ones."""

    tolerance: float
    whitespace: str
    said: str
    """The same in words, for the detail of a result"""


def check_code(args: Mapping[str, Any]) -> None:
    """ValueError naming the argument, the case and what to do."""
    mode = args.get("mode", "call")
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")
    _check_numbers(args)
    entry = args.get("entry") or "f"
    if not all(part.isidentifier() for part in str(entry).split(".")):
        raise ValueError(f"entry is {entry!r}, which no program can define; give the name of a function")
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
        _check_passable(f"case {number}", case, mode, args.get("output_mb", 1))


def job_of(
    id: str,
    program: str,
    mode: str,
    entry: str,
    cases: Sequence[Mapping[str, Any]],
    tests: str | Sequence[str],
    limits: Limits,
    comparison: Comparison,
) -> Job:
    """What the sandbox is asked to run: the program, its tests in the form of the mode, and the limits."""
    from rewards.sandbox import Case, Job

    parsed = [Case(c.get("args", ()), c.get("kwargs", {}), c.get("stdin", ""), c["expected"]) for c in cases]
    compared = (comparison.tolerance, comparison.whitespace)
    return Job(id, mode, program, entry, parsed, joined(tests), limits, *compared)  # type: ignore[arg-type]


def limits_of(cpu_s: int, memory_mb: int, output_mb: float) -> Limits:
    """The limits of one run; answers of calls may be four times what is printed, for they are sent with tags."""
    from rewards.sandbox import Limits

    output = int(output_mb * (1 << 20))
    return Limits(cpu_s=cpu_s, memory_bytes=memory_mb << 20, stdout_bytes=output, reply_bytes=4 * output)


def comparison_of(mode: str, tolerance: float | None, whitespace: str) -> Comparison:
    """How answers are compared: floats to 1e-6, printed decimals by their value, unless the row says otherwise."""
    chosen = (1e-6 if mode == "call" else 0.0) if tolerance is None else float(tolerance)
    said = {"call": f"(floats to {chosen:g})", "stdio": f"(white space: {whitespace}; decimals to {chosen:g})"}
    return Comparison(chosen, whitespace, said.get(mode, ""))


def joined(tests: str | Sequence[str]) -> str:
    """MBPP keeps its asserts in a list, HumanEval in one text."""
    return tests if isinstance(tests, str) else "\n".join(tests)


def _check_numbers(args: Mapping[str, Any]) -> None:
    for name, least in _LIMITS.items():
        value = args.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
            raise ValueError(f"{name} is {value!r}; it must be a number of at least {least}")
    if args.get("whitespace", "lines") not in WHITESPACE:
        raise ValueError(f"whitespace is {args['whitespace']!r}; it must be one of {', '.join(WHITESPACE)}")


def _check_passable(where: str, case: Mapping[str, Any], mode: str, output_mb: float) -> None:
    """ValueError where the expected answer is more than a program may give, or no text that it can print."""
    limits = limits_of(1, 64, output_mb)
    if mode == "call":
        size, most = len(pack({"index": 0, "value": encode(case["expected"])})), limits.reply_bytes
    else:
        try:
            size, most = len(case["expected"].encode()), limits.stdout_bytes
        except UnicodeEncodeError:
            raise ValueError(f"{where}: 'expected' has half of a surrogate pair, which no program can print") from None
    if size > most:
        raise ValueError(
            f"{where}: 'expected' takes {size} bytes and a program may give {most}: no program can pass; set "
            f"output_mb to {math.ceil(output_mb * size / most + 1)} in the reward's args, or leave the case out"
        )


def _check_tests(tests: str) -> None:
    try:
        tree = ast.parse(tests)
    except SyntaxError as error:
        raise ValueError(f"'tests' is no Python: {error}") from error
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        raise ValueError("mode 'assert' needs 'tests', Python source with at least one assert")


def _check_case(where: str, case: Any, mode: str) -> None:
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
