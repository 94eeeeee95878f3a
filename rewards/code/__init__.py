"""Kind `code`: which share of the tests does the program in the response pass?

response -> extraction.py (the program) -> rewards.sandbox (isolated run, verdict decided outside) -> share

Modes: `call` (a function, arguments, expected values), `stdio` (input and expected output), `assert` (Python
tests, in the forms of HumanEval and MBPP). The response may be raw code or text with a fenced block. A pool
starts only when the sandbox passed its self-test on that machine; there is no weaker mode.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from rewards.code.case_checks import check_code, comparison_of, job_of, limits_of
from rewards.code.extraction import extract_program
from rewards.errors import RewardError
from rewards.records import Probe, RewardResult, RewardSpec, Row
from rewards.registry import reward

SOLUTION_COLUMNS = ("solution", "canonical_solution")


@lru_cache(maxsize=1)
def _sandbox() -> Any:
    """One sandbox for each process (pool actor), started and self-tested on first use."""
    from rewards.sandbox import Sandbox

    sandbox = Sandbox()
    sandbox.start()
    return sandbox


def _start_sandbox() -> None:
    _sandbox()


def known_solution(spec: RewardSpec, row: Row) -> str | None:
    """The program that the data set gives as right."""
    return next((row[name] for name in SOLUTION_COLUMNS if isinstance(row.get(name), str)), None)


def program_cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """Programs that fool a test run by its exit code or by its comparison."""
    entry = (spec.args.get("entry") or "f").split(".")[-1]
    equal = "class E:\n    def __eq__(s, o): return True\n    __hash__ = None\n"
    return [
        Probe("exits with success", "import sys\nsys.exit(0)"),
        Probe("equals everything", f"{equal}def {entry}(*a, **k): return E()"),
    ]


@reward(
    "code",
    timeout_s=180,
    validate=check_code,
    prepare=_start_sandbox,
    gold=known_solution,
    cheats=program_cheats,
)
def code(
    response: str,
    mode: str = "call",
    entry: str = "",
    cases: Sequence[Mapping[str, Any]] = (),
    tests: str | Sequence[str] = "",
    all_or_nothing: bool = False,
    cpu_s: int = 4,
    memory_mb: int = 512,
    output_mb: float = 1,
    tolerance: float | None = None,
    whitespace: str = "lines",
    id: str = "",
) -> RewardResult:
    """Share of tests passed (or all of them or nothing). A sandbox that failed is an error, never a 0."""
    from rewards.sandbox import Reason

    comparison = comparison_of(mode, tolerance, whitespace)
    limits = limits_of(cpu_s, memory_mb, output_mb)
    program = extract_program(response, entry)
    verdict = _sandbox().run(job_of(str(id), program, mode, entry, cases, tests, limits, comparison))
    if verdict.reason is Reason.SANDBOX_ERROR:
        raise RewardError(f"the sandbox failed twice: {verdict.detail}")
    share = verdict.passed / verdict.total
    detail = " ".join(
        filter(None, (str(verdict.reason), f"{verdict.passed}/{verdict.total}", verdict.detail, comparison.said))
    )
    return RewardResult("code", float(share == 1.0) if all_or_nothing else share, "ok", detail)
