"""The parent's side of the killable children: one template, one worker, a deadline for each check."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from rewards.errors import PoolError
from rewards.execution.children.spawning import spawn
from rewards.execution.children.template import Setup
from rewards.plugins import PluginSource
from rewards.records import RewardResult, RewardSpec, Row

START_TIMEOUT_S = 90.0
MOST_BYTES = 64 << 20
"""Of an answer"""


@dataclass
class _Worker:
    connection: Connection
    pidfd: int
    served: int = 0


class ChildServer:
    """Runs the checks of one kind in a child that is killed at the deadline. One check at a time; thread-safe."""

    def __init__(
        self,
        kind: str,
        plugins: tuple[PluginSource, ...] = (),
        memory_bytes: int = 1 << 30,
        recycle_after: int = 64,
        cpu_s: int = 600,
    ) -> None:
        self._setup = Setup(kind, plugins, memory_bytes, cpu_s)
        self._recycle_after = recycle_after
        self._lock = threading.Lock()
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._worker: _Worker | None = None

    def start(self) -> None:
        """Start and warm the template; PoolError with its reason when that fails."""
        with self._lock:
            self._require_template()

    def check(self, spec: RewardSpec, row: Row, timeout_s: float) -> RewardResult:
        """One check; status `timeout` at the deadline, `error` when the child died (memory limit, crash)."""
        with self._lock:
            worker = self._require_worker()
            started = time.perf_counter()
            reply = self._ask(worker, pickle.dumps((spec, dict(row))), started + timeout_s)
            elapsed = time.perf_counter() - started
            if reply == "timeout":
                self._discard()
                return RewardResult(spec.kind, None, "timeout", f"killed after {timeout_s:g} s", elapsed)
            if reply is None or not isinstance(reply, bytes):
                self._discard()
                reason = "the child process died (memory limit or crash)"
                return RewardResult(spec.kind, None, "error", reason, elapsed)
            worker.served += 1
            result = RewardResult.from_dict(json.loads(reply))
            if worker.served >= self._recycle_after or result.status != "ok":
                self._discard()
            return result

    def close(self) -> None:
        """Kill the child and the template it was forked from."""
        with self._lock:
            self._discard()
            self._drop_template()

    def _ask(self, worker: _Worker, request: bytes, deadline: float) -> bytes | str | None:
        try:
            worker.connection.send_bytes(request)
            in_time = worker.connection.poll(max(0.0, deadline - time.perf_counter()))
            return worker.connection.recv_bytes(MOST_BYTES) if in_time else "timeout"
        except (OSError, EOFError):
            return None

    def _require_worker(self) -> _Worker:
        if self._worker is None:
            try:
                self._worker = self._fork_worker()
            except OSError:
                self._drop_template()
                self._worker = self._fork_worker()
        return self._worker

    def _fork_worker(self) -> _Worker:
        control = self._require_template()
        ours, theirs = Pipe()
        with theirs:
            socket.send_fds(control, [b"f"], [theirs.fileno()])
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            raise OSError("the template process died")
        return _Worker(ours, descriptors[0])

    def _require_template(self) -> socket.socket:
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "rewards.execution.children.template", str(theirs.fileno())]
        with theirs:
            self._template = spawn(command, pass_fds=[theirs.fileno()], env=_environment())
        try:
            with Connection(os.dup(ours.fileno())) as link:
                link.send_bytes(pickle.dumps(self._setup))
                answer = link.recv_bytes(MOST_BYTES) if link.poll(START_TIMEOUT_S) else b"timed out"
        except (OSError, EOFError) as error:
            answer = str(error).encode()
        ours.settimeout(START_TIMEOUT_S)
        if answer != b"ready":
            self._drop_template()
            reason = (answer or b"it died while starting").decode()
            raise PoolError(f"the child process for reward {self._setup.kind!r} did not start: {reason}")
        self._control = ours
        return ours

    def _discard(self) -> None:
        if self._worker is None:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._worker.pidfd, signal.SIGKILL)
        os.close(self._worker.pidfd)
        self._worker.connection.close()
        self._worker = None

    def _drop_template(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._template is not None:
            self._template.kill()
            self._template.wait()
            self._template = None


def _environment() -> dict[str, str]:
    """The parent's environment with this package importable and one thread per library."""
    root = str(Path(__file__).resolve().parents[3])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
