"""Run jobs in a zygote and judge them. The expected values live here and nowhere else.

- call: the job gets the arguments of every case, answers in order, and each answer is compared here.
- stdio: one fresh process for each case; its output is compared here.
- assert: two jobs. T runs the trusted tests with stand-ins for the solution's functions; S runs the
  solution; this side carries calls and plain values between them. S never sees a test, T never runs a line
  of the solution.

Time is judged by CPU time. When the wall clock ran out with little CPU used (a busy machine, or a program
that sleeps), the job is run once more before it counts as TIME_LIMIT.
"""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rewards.sandbox.compare import matches, same_output
from rewards.sandbox.inside.wire import ProtocolError, encode
from rewards.sandbox.processes import Ending, JobProcess, OutputLimit, Zygote, ZygoteLost, pump
from rewards.sandbox.verdicts import Case, Job, Reason, Verdict

_LITTLE_CPU = 0.5
_MEMORY_WORDS = ("MemoryError", "Cannot allocate memory", "can't start new thread")
TOTAL_WALL_S = 60.0
WALLS_FAILED = 99
"""Exit code of a job that could not put up its walls (inside/zygote.py)."""


@dataclass
class _Tally:
    """Passed tests, and the reason of the first failure."""

    total: int
    passed: int = 0
    answered: int = 0
    reason: Reason | None = None
    detail: str = ""
    cpu_s: float = 0.0

    def fail(self, reason: Reason, detail: str = "") -> None:
        """Note why the job did not pass; the first reason counts."""
        if self.reason is None:
            self.reason, self.detail = reason, detail[:300]

    def fail_with(self, message: object, reason: Reason) -> None:
        """Note an error that the job reports; one of memory has a reason of its own."""
        error = message.get("error") if isinstance(message, dict) else None
        if not isinstance(error, dict):
            raise ProtocolError("a message that is neither answer nor error")
        text = f"{error.get('type')}: {error.get('message')}"
        self.fail(Reason.MEM_LIMIT if any(word in text for word in _MEMORY_WORDS) else reason, text)

    def judge(self, right: bool, detail: str = "") -> None:
        """Count one answer."""
        self.answered += 1
        self.passed += right
        if not right:
            self.fail(Reason.WRONG_ANSWER, detail)


class _WallExpired(Exception):
    """The wall clock ran out; carries nothing, the ending tells how much CPU was used."""


class Sandbox:
    """A place to run untrusted programs, one job at a time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None

    def start(self) -> None:
        """Start it and prove its walls; SandboxUnavailable names what does not hold."""
        from rewards.sandbox.selftest import self_test

        with self._lock:
            self._require_zygote()
        self_test(self)

    def run(self, job: Job) -> Verdict:
        """Judge one program. Infrastructure trouble is repaired and tried once more, then SANDBOX_ERROR."""
        started = time.monotonic()
        if len(job.code.encode(errors="surrogatepass")) > job.limits.source_bytes:
            return Verdict(job.id, Reason.TOO_LONG, 0, _total(job), "the program is too long")
        with self._lock:
            for attempt in (1, 2):
                try:
                    tally = _JUDGES[job.mode](self._require_zygote(), job, attempt == 2)
                    break
                except _WallExpired:
                    continue
                except ZygoteLost as error:
                    self._drop_zygote()
                    if attempt == 2:
                        return Verdict(job.id, Reason.SANDBOX_ERROR, 0, _total(job), str(error)[:300])
        reason = tally.reason or Reason.PASS
        wall = time.monotonic() - started
        return Verdict(job.id, reason, tally.passed, tally.total, tally.detail, tally.cpu_s, wall)

    def close(self) -> None:
        """End the sandbox; the next `run` starts another."""
        with self._lock:
            self._drop_zygote()

    def _require_zygote(self) -> Zygote:
        if self._zygote is None:
            self._zygote = Zygote()
        return self._zygote

    def _drop_zygote(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None


def _total(job: Job) -> int:
    return max(1, len(job.cases))


def _judge_calls(zygote: Zygote, job: Job, last: bool) -> _Tally:
    tally = _Tally(len(job.cases))
    process = zygote.spawn(job.limits)
    calls = [{"args": encode(list(c.args)), "kwargs": encode(dict(c.kwargs))} for c in job.cases]
    process.send({"mode": "call", "code": _clean(job.code), "entry": job.entry, "calls": calls})
    expected = iter(job.cases)

    def read() -> bool:
        for message in process.replies():
            if not _is_loaded(message, tally):
                _judge_call(message, next(expected, None), tally, job.tolerance)
        return tally.answered == tally.total or tally.reason is Reason.LOAD_ERROR

    return _drive([process], read, tally, last)


def _judge_call(message: object, case: Case | None, tally: _Tally, tolerance: float) -> None:
    if case is None or not isinstance(message, dict) or message.get("index") != tally.answered:
        raise ProtocolError("an answer out of order")
    if "value" in message:
        tally.judge(matches(case.expected, message["value"], tolerance), f"case {tally.answered + 1}")
        return
    tally.answered += 1
    if "unsupported" in message:
        tally.fail(Reason.UNSUPPORTED, f"returned {message['unsupported']}, which is not plain data")
    else:
        tally.fail_with(message, Reason.RUNTIME_ERROR)


def _judge_programs(zygote: Zygote, job: Job, last: bool) -> _Tally:
    """Every case is a process of its own."""
    tally = _Tally(len(job.cases))
    deadline = time.monotonic() + TOTAL_WALL_S
    for case in job.cases:
        if time.monotonic() > deadline:
            tally.fail(Reason.TIME_LIMIT, f"all cases together took more than {TOTAL_WALL_S:g} s")
            break
        one = _judge_program(zygote, replace(job, cases=(case,)), last)
        tally.passed += one.passed
        tally.cpu_s += one.cpu_s
        if one.reason is not None:
            tally.fail(one.reason, one.detail)
    return tally


def _judge_program(zygote: Zygote, job: Job, last: bool) -> _Tally:
    tally = _Tally(1, answered=1)  # nothing is owed: a program may end without a word
    process = zygote.spawn(job.limits, job.cases[0].stdin)
    process.send({"mode": "stdio", "code": _clean(job.code)})

    def read() -> bool:
        for message in process.replies():
            tally.fail_with(message, Reason.RUNTIME_ERROR)
        return False

    _drive([process], read, tally, last)
    if tally.reason is None:
        given = process.stdout.decode(errors="replace")
        right = same_output(str(job.cases[0].expected), given, job.tolerance, job.whitespace)
        tally.judge(right, "output differs")
    return tally


def _judge_asserts(zygote: Zygote, job: Job, last: bool) -> _Tally:
    tally = _Tally(1, answered=1)
    solution, tests = zygote.spawn(job.limits), zygote.spawn(job.limits)
    solution.send({"mode": "serve", "code": _clean(job.code)})
    tests.send({"mode": "tests", "tests": job.tests, "entry": job.entry})
    outcomes: list[bool] = []
    finished = [False]

    def read() -> bool:
        for message in solution.replies():
            if not _is_loaded(message, tally):
                tests.send(_checked_answer(message))
        for message in tests.replies():
            if "call" in message:
                solution.send(message["call"])
            elif "test" in message:
                outcomes.append(message["test"]["passed"])
                if not message["test"]["passed"]:
                    tally.fail(*_test_failure(message["test"]["error"]))
            finished[0] |= "finished" in message
        return finished[0] or tally.reason is Reason.LOAD_ERROR

    _drive([solution, tests], read, tally, last)
    tally.total = max(1, len(outcomes))
    tally.passed = sum(outcomes)
    if not finished[0]:
        tally.fail(Reason.EXITED_EARLY, "the program ended before the tests did")
        tally.total = max(tally.total, tally.passed + 1)
    elif not outcomes:
        tally.fail(Reason.UNSUPPORTED, "the tests hold no assert, no check(...) and no test function")
    return tally


def _test_failure(error: dict[str, str]) -> tuple[Reason, str]:
    reasons = {"AssertionError": Reason.WRONG_ANSWER, "RemoteUnsupported": Reason.UNSUPPORTED}
    return reasons.get(error["type"], Reason.RUNTIME_ERROR), f"{error['type']}: {error['message']}"


def _checked_answer(message: object) -> dict[str, object]:
    """Only the shape of an answer goes on to the tests; what it claims to be, they decode as plain data."""
    if isinstance(message, dict):
        if "value" in message:
            return {"value": message["value"]}
        if isinstance(message.get("unsupported"), str):
            return {"unsupported": message["unsupported"][:100]}
        error = message.get("error")
        if isinstance(error, dict) and all(isinstance(error.get(k), str) for k in ("type", "message")):
            return {"error": {"type": error["type"], "message": error["message"][:300]}}
    raise ProtocolError("no answer to a call")


def _drive(processes: list[JobProcess], read: Callable[[], bool], tally: _Tally, last: bool) -> _Tally:
    """Move bytes until `read` says that all is known, a process has ended, or a limit is reached; then judge why."""
    limits = processes[0]._limits
    deadline = time.monotonic() + limits.wall_s
    expired = done = False
    try:
        while not done and not expired:
            expired = not pump(processes, deadline)
            done = read() or any(process.drained for process in processes)
    except OutputLimit as error:
        tally.fail(Reason.OUTPUT_LIMIT, str(error))
    except (ProtocolError, RecursionError, TypeError, AttributeError) as error:
        tally.fail(Reason.PROTOCOL, str(error))
    finally:
        endings = [process.finish() for process in processes]
    if not processes[0].ready or any(ending.exit == WALLS_FAILED for ending in endings[1:]):
        raise ZygoteLost("a job did not get ready")  # the first runs untrusted code: its exit code proves nothing
    tally.cpu_s = sum(ending.cpu_s for ending in endings)
    _judge_ending(endings[0], tally, limits.cpu_s, expired, last)
    return tally


def _judge_ending(ending: Ending, tally: _Tally, cpu_limit_s: int, expired: bool, last: bool) -> None:
    if expired:
        if ending.cpu_s < _LITTLE_CPU * cpu_limit_s and not last:
            raise _WallExpired
        tally.fail(Reason.TIME_LIMIT, "the wall clock ran out")
    elif ending.exit == -signal.SIGKILL and ending.cpu_s >= cpu_limit_s - 0.2:
        tally.reason = None
        tally.fail(Reason.TIME_LIMIT, f"more than {cpu_limit_s} s of CPU time")
    elif tally.answered < tally.total:
        tally.fail(Reason.EXITED_EARLY, f"ended with code {ending.exit} before every answer was given")


def _is_loaded(message: object, tally: _Tally) -> bool:
    """Whether a message is about loading the program, which is then dealt with."""
    if not isinstance(message, dict):
        raise ProtocolError("a message that is no mapping")
    if "load_error" in message:
        tally.fail_with({"error": message["load_error"]}, Reason.LOAD_ERROR)
        return True
    return "loaded" in message


def _clean(code: str) -> str:
    return code.encode(errors="replace").decode()


_JUDGES = {"call": _judge_calls, "stdio": _judge_programs, "assert": _judge_asserts}
