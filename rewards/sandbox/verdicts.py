"""What goes into the sandbox and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Mode = Literal["call", "stdio", "assert"]
MIB = 1 << 20


class Reason(StrEnum):
    """Why a verdict is what it is. The last one is the infrastructure's fault and never a reward of 0."""

    PASS = "PASS"
    WRONG_ANSWER = "WRONG_ANSWER"
    LOAD_ERROR = "LOAD_ERROR"
    RUNTIME_ERROR = "RUNTIME_ERROR"
    TIME_LIMIT = "TIME_LIMIT"
    MEM_LIMIT = "MEM_LIMIT"
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    EXITED_EARLY = "EXITED_EARLY"
    PROTOCOL = "PROTOCOL"
    UNSUPPORTED = "UNSUPPORTED"
    TOO_LONG = "TOO_LONG"
    SANDBOX_ERROR = "SANDBOX_ERROR"


@dataclass(frozen=True)
class Limits:
    """Limits of one job."""

    cpu_s: int = 4
    memory_bytes: int = 512 * MIB
    tmp_bytes: int = 16 * MIB
    tmp_files: int = 512
    open_files: int = 64
    threads: int = 16
    stdout_bytes: int = MIB
    reply_bytes: int = 4 * MIB
    source_bytes: int = 256 * 1024
    wall_limit_s: float | None = None
    """None: four times the CPU time and 2 s, because a busy machine must not make a right answer wrong."""

    @property
    def wall_s(self) -> float:
        """Longest time on the wall clock."""
        return 4.0 * self.cpu_s + 2.0 if self.wall_limit_s is None else self.wall_limit_s


@dataclass(frozen=True)
class Case:
    """One test: `args`/`kwargs` and the expected value (call), or `stdin` and the expected output (stdio)."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    stdin: str = ""
    expected: Any = None


@dataclass(frozen=True)
class Job:
    """One program and its tests."""

    id: str
    mode: Mode
    code: str
    entry: str = ""
    """Name of the function to call (`Solution.method` of a class); candidate of `check` in assert mode."""
    cases: Sequence[Case] = ()
    tests: str = ""
    """Source of the trusted tests (assert mode)."""
    limits: Limits = field(default_factory=Limits)
    tolerance: float = 1e-6
    """Relative tolerance where the expected value is a float, or the expected output a decimal."""
    whitespace: str = "lines"
    """How white space in output counts (compare.WHITESPACE)."""


@dataclass(frozen=True)
class Verdict:
    """`passed` of `total` tests; `reason` is that of the first test that failed."""

    id: str
    reason: Reason
    passed: int
    total: int
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
