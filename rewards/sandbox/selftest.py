"""Prove the walls before the first reward: escapes must be blocked, forgeries refused, honest programs
passed.

Every probe is a program whose `probe()` returns "blocked" when the kernel refused it. It runs through the
same path as any solution. One miss refuses the start.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rewards.errors import SandboxUnavailable
from rewards.sandbox.launcher import ENVIRONMENT
from rewards.sandbox.verdicts import Case, Job, Limits, Reason, Verdict

if TYPE_CHECKING:
    from rewards.sandbox.runner import Sandbox

_ATTEMPT = """
import ctypes, os, resource, signal, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def probe(canary):
    try:
        done = (lambda: {attempt})()
    except (OSError, MemoryError, ValueError) as error:
        return "blocked"
    return "blocked" if done in (-1, None, [], False) else "open: %r" % (done,)
"""

ESCAPES = {
    "read a file of the host": "open(canary).read()",
    "read the host's accounts": "open('/etc/passwd').read()",
    "list processes": "os.listdir('/proc')",
    "write where /proc was": "open('/proc/planted', 'w')",
    "write to the root": "open('/planted', 'w')",
    "write to the system": "open('/usr/lib/planted', 'w')",
    "write to shared memory": "open('/dev/shm/planted', 'w')",
    "open a network socket": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "make shared memory": "libc.shmget(1, 4096, 0o1600)",
    "make a message queue": "libc.msgget(1, 0o1600)",
    "make a semaphore": "libc.semget(1, 1, 0o1600)",
    "open a local socket": "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
    "fork": "os.fork()",
    "start a program": "os.execv(sys.executable, [sys.executable, '-c', 'pass'])",
    "make new namespaces": "libc.unshare(0x10000000)",
    "mount": "libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None)",
    "trace a process": "libc.ptrace(0, 0, 0, 0)",
    "raise its own limits": "resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    "signal a process outside": "os.kill(2, signal.SIGKILL)",
    "become root": "os.setuid(0)",
    "take 2 GiB of memory": "bytearray(2 << 30)",
    "fill the scratch folder": "open('/tmp/big', 'wb').write(bytes(64 << 20))",
    "read the environment": "[k for k in os.environ if k not in ENVIRONMENT]",
}
FORGERIES = {
    "exit with success": "import os\nos._exit(0)\ndef probe(canary): return 1",
    "equal to everything": "class E(str):\n  def __eq__(s, o): return True\n  __hash__ = str.__hash__\n"
    "def probe(canary): return E('x')",
    "speak for the harness": "import os\nfor fd in range(64):\n"
    "  try: os.write(fd, b'\\0\\0\\0\\x10{\"loaded\": true} ')\n"
    "  except OSError: pass\ndef probe(canary): return 'forged'",
}
HONEST = "def probe(canary): return 'blocked'"
_ENVIRONMENT = ("PWD", *ENVIRONMENT)
_LIMITS = Limits(cpu_s=2)


def self_test(sandbox: Sandbox) -> None:
    """SandboxUnavailable with every probe that was not blocked, or every honest program that failed."""
    with tempfile.NamedTemporaryFile("w", suffix=".canary") as file:
        file.write("readable by everybody on the host")
        file.flush()
        Path(file.name).chmod(0o644)
        misses = [f"could {name}: {_describe(v)}" for name, v in _escapes(sandbox, file.name) if not _passed(v)]
    for name, code in FORGERIES.items():
        verdict = sandbox.run(_job(code, "canary"))
        if verdict.passed or verdict.reason is Reason.SANDBOX_ERROR:
            misses.append(f"was fooled by '{name}': {_describe(verdict)}")
    honest = sandbox.run(_job(HONEST, "canary"))
    if not _passed(honest):
        misses.append(f"failed an honest program: {_describe(honest)}")
    if misses:
        raise SandboxUnavailable(
            "the code sandbox does not hold on this machine and refuses to start; an untrusted program "
            + "; ".join(misses)
        )


def _escapes(sandbox: Sandbox, canary: str) -> list[tuple[str, Verdict]]:
    return [
        (
            name,
            sandbox.run(_job(_ATTEMPT.format(attempt=attempt.replace("ENVIRONMENT", repr(_ENVIRONMENT))), canary)),
        )
        for name, attempt in ESCAPES.items()
    ]


def _job(code: str, canary: str) -> Job:
    return Job("self-test", "call", code, "probe", [Case([canary], expected="blocked")], limits=_LIMITS)


def _passed(verdict: Verdict) -> bool:
    return verdict.reason is Reason.PASS


def _describe(verdict: Verdict) -> str:
    return f"{verdict.reason} {verdict.detail}".strip()
