"""The zygote: a warm Python inside bubblewrap that clones jobs on request and never sees an expected value.

On the control socket (descriptor 0) the harness sends `spawn` with four descriptors attached (the job's
input, output, requests, replies) and gets the pid with a pidfd; later `wait`, answered by how the job ended.
"""

from __future__ import annotations

import gc
import json
import os
import random
import socket
import sys
import types
from typing import Any, NamedTuple

from rewards.sandbox.inside import job, walls
from rewards.sandbox.inside.wire import write_frame

WARM_MODULES = [
    "abc",
    "array",
    "ast",
    "bisect",
    "calendar",
    "cmath",
    "collections",
    "collections.abc",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "io",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "queue",
    "random",
    "re",
    "statistics",
    "string",
    "struct",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "unicodedata",
]
"""What programs import most, but for modules that map large libraries (hashlib, uuid): every job would pay for those"""
MAX_MESSAGE = 1 << 16
REHEARSALS = 30
"""CPython specialises a function after some eight calls; the rest is for its inner caches"""
HIGH = 200
"""Descriptors from here on are the zygote's; those from 3 up to here are closed or on their way to a job"""


class Prepared(NamedTuple):
    """What the zygote made ready for every job."""

    program: bytes
    """The seccomp filter"""
    uid: int
    gid: int
    devnull: int
    streams: dict[str, Any]


def main(control: socket.socket, program: bytes) -> None:
    """Serve until the harness closes the socket."""
    for name in WARM_MODULES:
        __import__(name)
    devnull = os.dup2(os.open("/dev/null", os.O_RDWR), HIGH)
    prepared = Prepared(program, os.getuid(), os.getgid(), devnull, _streams_of_pipes(devnull))
    _rehearse(prepared.streams)
    sys.modules["__main__"] = types.ModuleType("__main__")
    random.seed(0)  # every job draws the same numbers: its verdict can be repeated
    for name in [n for n in sys.modules if n.split(".")[0] == "rewards"]:
        del sys.modules[name]  # a program finds nothing of the harness to import
    gc.collect()
    gc.freeze()
    control.send(b'{"ready": true}')
    while True:
        data, descriptors = _receive(control)
        if not data:
            return
        message = json.loads(data)
        if message["op"] == "spawn":
            _spawn(control, descriptors, message["limits"], prepared)
        else:
            control.send(json.dumps(_wait(message["pid"])).encode())


def _streams_of_pipes(devnull: int) -> dict[str, Any]:
    """Streams remember whether their descriptor can be wound back: made of pipes, which a job's are, and not of what
    the zygote has there. Descriptor 0 is the control socket, which cannot either.
    """
    ends = os.pipe()
    for descriptor in (1, 2):
        os.dup2(ends[1], descriptor)
    streams = job.standard_streams()
    for descriptor in (1, 2):
        os.dup2(devnull, descriptor)
    for end in ends:
        os.close(end)
    return streams


def _rehearse(streams: dict[str, Any]) -> None:
    """Run a harmless program in each mode until the interpreter has specialised the code for it.

    Otherwise every job would do so again, and copy the pages that hold the code.
    """
    code = "def f(n):\n    return sum(i for i in range(n))\n"
    one_call = {"args": [3], "kwargs": {}}
    for _ in range(REHEARSALS):
        _rehearse_once({"mode": "call", "code": code, "entry": "f", "calls": [one_call]}, [], streams)
        _rehearse_once({"mode": "serve", "code": code}, [{"name": "f", **one_call}], streams)
        _rehearse_once({"mode": "stdio", "code": code + "print(f(3))"}, [], streams)
        _rehearse_once({"mode": "tests", "tests": "assert f(3) == 3", "entry": "f"}, [{"value": 3}], streams)
    del sys.modules["solution"]


def _rehearse_once(payload: dict[str, Any], requests: list[dict[str, Any]], streams: dict[str, Any]) -> None:
    """All that is asked lies in the pipe beforehand; all that is answered fits into the other and is thrown away."""
    pipes = [os.dup2(end, HIGH + 1 + i) for i, end in enumerate((*os.pipe(), *os.pipe()))]
    os.dup2(pipes[0], job.REQUESTS)
    os.dup2(pipes[3], job.REPLIES)
    for message in (payload, *requests):
        write_frame(pipes[1], message)
    os.close(pipes[1])  # what is asked ends here
    job.run(streams)
    os.closerange(3, HIGH)
    os.closerange(HIGH + 1, HIGH + 5)


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    data, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 4)
    return data, list(descriptors)


def _spawn(control: socket.socket, descriptors: list[int], limits: dict[str, int], prepared: Prepared) -> None:
    try:
        pid = walls.clone_into_namespaces()
    except OSError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        pid = -1
    if pid == 0:
        _become_job(descriptors, limits, prepared)
    for descriptor in descriptors:
        os.close(descriptor)
    if pid > 0:
        pidfd = os.pidfd_open(pid)
        socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [pidfd])
        os.close(pidfd)


def _become_job(descriptors: list[int], limits: dict[str, int], prepared: Prepared) -> None:
    """Never returns. Exit 99 means that the walls could not be put up, with the reason on the reply pipe."""
    code = 99
    try:
        high = [os.dup2(d, HIGH + 1 + i) for i, d in enumerate((*descriptors, prepared.devnull))]
        for target, source in zip((0, 1, 3, 4, 2), high):  # noqa: B905 - runs on any Python 3.8+
            os.dup2(source, target)
        os.closerange(5, 1024)
        try:
            walls.wall_in(prepared.uid, prepared.gid, limits, prepared.program)
        except OSError as error:
            job.write_frame(4, {"walls": str(error)})
            os._exit(code)
        job.write_frame(4, {"ready": True})
        code = 1
        job.run(prepared.streams)
        code = 0
    finally:
        os._exit(code)


def _wait(pid: int) -> dict[str, Any]:
    _, status, usage = os.wait4(pid, 0)
    return {
        "exit": os.waitstatus_to_exitcode(status),
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "rss_kib": usage.ru_maxrss,
    }
