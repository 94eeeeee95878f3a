"""No cheating program is ever paid, in any mode; honest programs always are; and nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cheats import BENIGN, BURNERS, CHEATS, HONEST, INPUTS, TAIL, f

from rewards.sandbox import Case, Job, Limits, Reason, Sandbox, Verdict

MODES = ("call", "stdio", "assert")
QUICK = Limits(cpu_s=1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    started = Sandbox()
    started.start()
    yield started
    started.close()


def judge(sandbox: Sandbox, code: str, mode: str, limits: Limits = QUICK) -> Verdict:
    if mode == "call":
        job = Job("t", "call", code, "f", [Case([n], expected=f(n)) for n in INPUTS], limits=limits)
    elif mode == "stdio":
        cases = [Case(stdin=f"{n}\n", expected=f"{f(n)}\n") for n in INPUTS[:1]]
        job = Job("t", "stdio", code + TAIL, cases=cases, limits=limits)
    else:
        tests = "\n".join(f"assert f({n}) == {f(n)}" for n in INPUTS)
        job = Job("t", "assert", code, "f", tests=tests, limits=limits)
    return sandbox.run(job)


@pytest.mark.parametrize(("name", "mode"), [(n, m) for n in CHEATS for m in MODES if m == "call" or n not in BURNERS])
def test_no_cheat_is_paid(sandbox: Sandbox, name: str, mode: str) -> None:
    verdict = judge(sandbox, CHEATS[name], mode)
    assert verdict.passed == 0, (name, verdict)
    assert verdict.reason not in (Reason.PASS, Reason.SANDBOX_ERROR), (name, verdict)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BENIGN)
def test_an_honest_program_is_paid_in_full(sandbox: Sandbox, name: str, mode: str) -> None:
    verdict = judge(sandbox, BENIGN[name], mode, Limits(cpu_s=4))
    assert (verdict.reason, verdict.passed) == (Reason.PASS, verdict.total), (name, verdict)


def test_there_are_at_least_sixty_cheats() -> None:
    assert len(CHEATS) >= 60


def test_right_on_some_cases_earns_that_share(sandbox: Sandbox) -> None:
    verdict = judge(sandbox, "def f(n): return 286 if n == 3 else 0", "call")
    assert (verdict.passed, verdict.total, verdict.reason) == (1, 3, Reason.WRONG_ANSWER)


def test_what_happened_before_an_endless_loop_counts(sandbox: Sandbox) -> None:
    verdict = judge(sandbox, HONEST.replace("return", "while n > 900: pass\n    return"), "call")
    assert (verdict.passed, verdict.reason) == (2, Reason.TIME_LIMIT)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def f(n): return 0", Reason.WRONG_ANSWER),
        ("def f(n) return 0", Reason.LOAD_ERROR),
        ("def f(n): return 1 / 0", Reason.RUNTIME_ERROR),
        ("def f(n):\n  while True: pass", Reason.TIME_LIMIT),
        ("def f(n): return len(bytearray(4 << 30))", Reason.MEM_LIMIT),
        ("def f(n): return 'x' * (16 << 20)", Reason.OUTPUT_LIMIT),
        ("import os\nos._exit(0)", Reason.EXITED_EARLY),
        ("import os\nos.write(4, b'\\xff' * 4000)\ndef f(n): return 0", Reason.PROTOCOL),
        ("def f(n): return f", Reason.UNSUPPORTED),
        ("x = 1\n" * 60000, Reason.TOO_LONG),
    ],
)
def test_the_reason_is_named(sandbox: Sandbox, code: str, reason: Reason) -> None:
    assert judge(sandbox, code, "call").reason is reason


def test_a_sleeping_program_ends_at_the_wall_clock(sandbox: Sandbox) -> None:
    started = time.monotonic()
    verdict = judge(sandbox, "import time\ndef f(n): time.sleep(60)", "call", Limits(wall_limit_s=0.5))
    assert verdict.reason is Reason.TIME_LIMIT
    assert 1.0 <= time.monotonic() - started < 10  # run once more, because it used no CPU time


def test_nothing_outside_is_reached(sandbox: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        code = (
            f"import socket, os\ndef f(n):\n  try: socket.create_connection(('127.0.0.1', {port}), 1)\n"
            f"  except OSError: pass\n  try: open({str(tmp_path / 'mark')!r}, 'w')\n  except OSError: pass\n"
            f"  try: os.kill({os.getpid()}, 15)\n  except OSError: pass\n"
            f"  return [os.path.exists({str(tmp_path)!r}), 'HOME' in os.environ, os.getpid(), os.getuid()]"
        )
        seen = [False, False, 1, 1000]
        verdict = sandbox.run(Job("t", "call", code, "f", [Case([1], expected=seen)]))
        assert verdict.reason is Reason.PASS, verdict
        with pytest.raises(TimeoutError):
            listener.accept()
    assert not (tmp_path / "mark").exists()


def test_one_program_leaves_nothing_for_the_next(sandbox: Sandbox) -> None:
    leave = "import builtins, os\nbuiltins.left = 1\nopen('/tmp/left', 'w').close()\ndef f(n): return 0"
    look = "import builtins, os\ndef f(n): return [hasattr(builtins, 'left'), os.listdir('/tmp')]"
    judge(sandbox, leave, "call")
    found = sandbox.run(Job("t", "call", look, "f", [Case([1], expected=[False, []])]))
    assert found.reason is Reason.PASS, found


def test_random_numbers_are_the_same_in_every_job_and_every_sandbox(sandbox: Sandbox) -> None:
    expected = random.Random(0).random()
    draw = Job("t", "call", "import random\ndef f(): return random.random()", "f", [Case([], expected=expected)])
    other = Sandbox()
    try:
        assert [s.run(draw).reason for s in (sandbox, sandbox, other)] == [Reason.PASS] * 3
    finally:
        other.close()


def test_nothing_of_the_harness_is_found_in_a_module(sandbox: Sandbox) -> None:
    code = (
        "import sys\ndef f():\n    import __main__\n"
        "    return [n for n in vars(__main__) if n[:2] != '__'] + [m for m in sys.modules if 'sandbox' in m]"
    )
    found = sandbox.run(Job("t", "call", code, "f", [Case([], expected=[])]))
    assert found.reason is Reason.PASS, found


def test_a_program_s_streams_are_pipes_that_carry_long_text_both_ways(sandbox: Sandbox) -> None:
    code = (
        "import sys\ntext = sys.stdin.read()\nprint(text[::-1])\nsys.stdout.flush()\nprint(len(text))\n"
        "print(sys.stdin.seekable(), sys.stdout.seekable(), sys.__stdout__ is sys.stdout)\n"
        "sys.stderr.write('noise' * 99999)\n"
    )
    text = "".join(str(n) for n in range(60_000))
    expected = f"{text[::-1]}\n{len(text)}\nFalse False True\n"
    verdict = sandbox.run(Job("t", "stdio", code, cases=[Case(stdin=text, expected=expected)]))
    assert verdict.reason is Reason.PASS, verdict
    again = sandbox.run(Job("t", "stdio", "print(input())", cases=[Case(stdin="next", expected="next")]))
    assert again.reason is Reason.PASS  # nothing of one program is left in the streams of the other


@pytest.mark.parametrize("name", ["forges broken frames", "blames the sandbox", "forges deep JSON"])
def test_a_program_cannot_pass_for_an_infrastructure_failure(sandbox: Sandbox, name: str) -> None:
    """It would be left out of training instead of earning 0. Many times, because it once was a race."""
    reasons = {judge(sandbox, CHEATS[name], MODES[i % 2 * 2]).reason for i in range(60)}
    assert reasons == {Reason.PROTOCOL}


def test_a_killed_zygote_is_replaced_and_the_program_still_judged(sandbox: Sandbox) -> None:
    judge(sandbox, HONEST, "call")
    for pid in descendants(os.getpid()):
        if b"bwrap" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    assert judge(sandbox, HONEST, "call").reason is Reason.PASS


def test_two_hundred_hostile_runs_leave_no_process_and_no_descriptor(sandbox: Sandbox) -> None:
    judge(sandbox, HONEST, "call")
    processes, files = len(descendants(os.getpid())), len(os.listdir("/proc/self/fd"))
    quick = [code for name, code in CHEATS.items() if name not in BURNERS and "loop" not in name]
    for index in range(200):
        judge(sandbox, quick[index % len(quick)], MODES[index % 3])
    assert len(descendants(os.getpid())) == processes
    assert len(os.listdir("/proc/self/fd")) == files


def descendants(pid: int) -> list[int]:
    """Living processes below `pid`, zombies left out."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                state, parent = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(entry)] = int(parent)
    found, todo = [], [pid]
    while todo:
        children = [child for child, parent in parents.items() if parent == todo[-1]]
        todo.pop()
        found += children
        todo += children
    return found


HARNESS = """
import sys, time
sys.path.insert(0, sys.argv[1])
from rewards.execution.children.server import ChildServer
from rewards.sandbox import Case, Job, Sandbox
sandbox, child = Sandbox(), ChildServer("math")
sandbox.run(Job("t", "call", "def f(n): return n", "f", [Case([1], expected=1)]))
child.start()
print("up", flush=True)
sandbox.run(Job("t", "call", "def f(n):\\n  while True: pass", "f", [Case([1], expected=1)]))
"""


def test_when_the_harness_is_killed_everything_below_it_dies() -> None:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", HARNESS, root]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as harness:
        assert harness.stdout is not None and harness.stdout.readline() == b"up\n"
        time.sleep(0.3)
        below = descendants(harness.pid)
        assert len(below) >= 4  # bubblewrap, the zygote, the looping job, the math template
        harness.kill()
    deadline = time.monotonic() + 5
    while (alive := [pid for pid in below if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
