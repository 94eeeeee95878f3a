"""The harness's handles on what runs inside: one `Zygote`, and a `JobProcess` for each job it clones.

A job's input is a sealed file, as on the machines of contests: it has a size, and ends where it ends. A `JobProcess`
owns three pipes and a pidfd. `pump` moves bytes for one or several of them until a deadline;
nothing here blocks on what a job does or fails to do.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rewards.errors import SandboxUnavailable
from rewards.execution.children.spawning import spawn
from rewards.sandbox.inside.wire import CLONE, CLONED, ENDED, LIMITS, WAIT, pack, split_frames
from rewards.sandbox.launcher import ENVIRONMENT, Launch, module_sources, prepare_launch
from rewards.sandbox.seccomp import filter_program
from rewards.sandbox.verdicts import Limits

START_TIMEOUT_S = 30.0
CONTROL_TIMEOUT_S = 20.0
_CHUNK = 1 << 16


class ZygoteLost(Exception):
    """The zygote died or stopped answering: infrastructure, not the program's fault."""


class OutputLimit(Exception):
    """A job wrote more than it may."""


@dataclass(frozen=True)
class Ending:
    """How a job ended, as its zygote saw it; `exit` is negative for a signal."""

    exit: int
    cpu_s: float
    rss_kib: int


class Zygote:
    """A running zygote inside bubblewrap."""

    def __init__(self) -> None:
        self._process, self._control = _start(prepare_launch())

    def spawn(self, limits: Limits, stdin: str = "") -> JobProcess:
        """Clone one job, with its whole standard input; ZygoteLost when that fails."""
        stdout, requests, replies = (os.pipe2(os.O_CLOEXEC) for _ in range(3))
        theirs = [_sealed_file(stdin.encode()), stdout[1], requests[0], replies[1]]
        ours = (stdout[0], requests[1], replies[0])
        try:
            request = CLONE.pack(*(getattr(limits, name) for name in LIMITS))
            socket.send_fds(self._control, [request], theirs)
            answer, descriptors, _, _ = socket.recv_fds(self._control, _CHUNK, 1)
            if not answer:
                raise ZygoteLost("the zygote died")
            (pid,) = CLONED.unpack_from(answer)
            if pid < 0:
                raise ZygoteLost(answer[CLONED.size :].decode())
        except (OSError, ValueError, struct.error, ZygoteLost) as error:
            for descriptor in ours:
                os.close(descriptor)
            raise ZygoteLost(str(error)) from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return JobProcess(self, pid, descriptors[0], ours, limits)

    def wait(self, pid: int) -> Ending:
        """How a job that was killed or has exited ended."""
        try:
            self._control.send(WAIT.pack(pid))
            return Ending(*ENDED.unpack(self._control.recv(_CHUNK)))
        except (OSError, struct.error) as error:
            raise ZygoteLost(str(error)) from error

    def close(self) -> None:
        """Kill the zygote and with it every job in its namespace."""
        self._control.close()
        self._process.kill()
        self._process.wait()


class JobProcess:
    """One job: bytes to send, bytes received, and the way to end it."""

    def __init__(self, zygote: Zygote, pid: int, pidfd: int, pipes: Sequence[int], limits: Limits) -> None:
        self._zygote, self._pid, self.pidfd, self._limits = zygote, pid, pidfd, limits
        self._stdout, self._requests, self._replies = pipes
        self._outgoing = bytearray()
        self._open = set(pipes)
        self._reply_buffer = bytearray()
        self._reply_total = 0
        self.stdout = bytearray()
        self.started = time.monotonic()
        self.exited = False
        self.ready = False
        """The walls are up. Said by the job before it reads anything untrusted, so it cannot be forged."""
        for pipe in pipes:
            os.set_blocking(pipe, False)

    def send(self, message: Any) -> None:
        """Queue one request."""
        self._outgoing += pack(message)

    def replies(self) -> list[Any]:
        """The complete messages received since the last call; ZygoteLost when the walls are not up."""
        if not self.ready:
            for first in split_frames(self._reply_buffer, at_most=1):
                if first != {"ready": True}:
                    raise ZygoteLost(f"the walls could not be put up: {first!r:.300}")
                self.ready = True
        return split_frames(self._reply_buffer) if self.ready else []

    @property
    def drained(self) -> bool:
        """It has exited and nothing more can come."""
        return self.exited and not {self._stdout, self._replies} & self._open

    def finish(self) -> Ending:
        """Kill it, whatever it does, and learn how it ended. Closes everything."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        for pipe in tuple(self._open):
            self._close(pipe)
        os.close(self.pidfd)
        return self._zygote.wait(self._pid)

    def watch(self, poll: select.poll) -> list[int]:
        """Register what to wait for; returns the descriptors."""
        wanted = {p: select.POLLIN for p in (self._stdout, self._replies) if p in self._open}
        if self._outgoing and self._requests in self._open:
            wanted[self._requests] = select.POLLOUT
        if not self.exited:
            wanted[self.pidfd] = select.POLLIN
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        return list(wanted)

    def handle(self, descriptor: int) -> None:
        """Move the bytes of one ready descriptor; OutputLimit when the job writes too much."""
        if descriptor == self.pidfd:
            self.exited = True
        elif descriptor == self._requests:
            self._write()
        else:
            self._read(descriptor)

    def _write(self) -> None:
        try:
            del self._outgoing[: os.write(self._requests, self._outgoing[:_CHUNK])]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._close(self._requests)

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._close(descriptor)
        elif descriptor == self._stdout:
            self.stdout += data
            if len(self.stdout) > self._limits.stdout_bytes:
                raise OutputLimit(f"more than {self._limits.stdout_bytes} bytes of output")
        else:
            self._reply_buffer += data
            self._reply_total += len(data)
            if self._reply_total > self._limits.reply_bytes:
                raise OutputLimit(f"more than {self._limits.reply_bytes} bytes of answers")

    def _close(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        os.close(descriptor)


def pump(jobs: Sequence[JobProcess], deadline: float) -> bool:
    """Wait until something moved for any of the jobs, and move it; False when the deadline passed first."""
    poll = select.poll()
    owners = {descriptor: job for job in jobs for descriptor in job.watch(poll)}
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        return False
    ready = poll.poll(remaining * 1000)
    for descriptor, _ in ready:
        owners[descriptor].handle(descriptor)
    return bool(ready)


def _sealed_file(data: bytes) -> int:
    """A file in memory that nobody can change any more, to be read from its start."""
    descriptor = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


def _start(launch: Launch) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    options: dict[str, Any] = {"stdin": theirs, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    options |= {"env": ENVIRONMENT}
    if launch.uid is not None:
        options |= {"user": launch.uid, "group": launch.uid, "extra_groups": []}
    with theirs:
        try:
            process = spawn(launch.command, **options)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            ours.close()
            raise SandboxUnavailable(
                f"the code sandbox could not be started: {error}. Where this is a container that forbids other "
                "users or new user namespaces, allow them (its seccomp profile, sysctl user.max_user_namespaces), or "
                "leave out the rows with reward kind 'code'"
            ) from error
    ours.settimeout(START_TIMEOUT_S)
    try:
        body = json.dumps({"modules": module_sources(), "filter": filter_program().hex()}).encode()
        ours.sendall(len(body).to_bytes(4, "big") + body)
        ready = ours.recv(_CHUNK)
    except OSError:
        ready = b""
    if not ready:
        raise SandboxUnavailable(_failure(process, ours))
    assert process.stderr is not None
    process.stderr.close()
    ours.settimeout(CONTROL_TIMEOUT_S)
    return process, ours


def _failure(process: subprocess.Popen[bytes], control: socket.socket) -> str:
    control.close()
    process.kill()
    _, errors = process.communicate()
    reason = errors.decode(errors="replace").strip()[-600:] or "it died without a word"
    return (
        f"this machine cannot isolate untrusted code: {reason}. The sandbox needs unprivileged user "
        "namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces > 0; a container or "
        "AppArmor profile that allows them); without them leave out the rows with reward kind 'code'"
    )
