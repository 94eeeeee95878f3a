"""The zygote: a warm Python inside bubblewrap that clones jobs on request and never sees an expected value.

On the control socket the harness sends the limits of a job, with four descriptors attached (the job's input, output,
requests, replies), and gets the pid with a pidfd; later the pid, answered by how the job ended (`wire` has the
formats). The descriptors 0, 1, 3 and 4 stay free, so that the kernel gives a job's just these numbers.

After each clone the zygote, too, has to copy the pages that it writes while the job is there: so what it does for a
job is little, and of few kinds.
"""

import gc
import os
import random
import socket
import struct
import sys
import types
from typing import Any

from rewards.sandbox.inside import job, walls
from rewards.sandbox.inside.wire import CLONE, CLONED, ENDED, LIMITS, WAIT, pack, write_frame

WARM_MODULES = (
    "abc array ast bisect calendar cmath collections collections.abc contextlib copy dataclasses datetime decimal enum "
    "fractions functools heapq io itertools json math numbers operator queue random re statistics string struct "
    "textwrap threading time traceback types typing unicodedata"
)
"""What programs import most, but for modules that map large libraries (hashlib, uuid): every job would pay for those"""
REHEARSALS = 30
"""CPython specialises a function after some eight calls; the rest is for its inner caches"""
HIGH = 200
"""Descriptors from here on are the zygote's; those up to here are a job's"""
STANDARD = [0, 1, 3, 4]
"""A job's descriptors: its input, its output, requests to it, its replies; 2 is /dev/null"""
READY = pack({"ready": True})
_ROOM_FOR_DESCRIPTORS = socket.CMSG_SPACE(4 * len(STANDARD))
_ONE_DESCRIPTOR = struct.Struct("i")
_FOUR_DESCRIPTORS = struct.Struct("4i")


def main(control: socket.socket, program: bytes) -> None:
    """Serve until the harness closes the socket."""
    for name in WARM_MODULES.split():
        __import__(name)
    job.furnish()
    control = socket.socket(fileno=os.dup2(control.detach(), HIGH))
    streams = _streams_of_pipes()
    _rehearse(streams)
    sys.modules["__main__"] = types.ModuleType("__main__")
    random.seed(0)  # every job draws the same numbers: its verdict can be repeated
    for name in [n for n in sys.modules if n.split(".")[0] == "rewards"]:
        del sys.modules[name]  # a program finds nothing of the harness to import
    os.closerange(0, 2)
    os.closerange(3, HIGH)
    gc.collect()
    gc.freeze()
    control.send(CLONED.pack(os.getpid()))
    _serve(control, program, streams)


def _serve(control: socket.socket, program: bytes, streams: dict[str, Any]) -> None:
    prepared: dict[bytes, walls.Walls] = {}
    while True:
        data, attached, _, _ = control.recvmsg(256, _ROOM_FOR_DESCRIPTORS)
        if not data:
            return
        if len(data) == WAIT.size:
            _, status, usage = os.wait4(WAIT.unpack(data)[0], 0)
            cpu_s = usage.ru_utime + usage.ru_stime
            control.send(ENDED.pack(os.waitstatus_to_exitcode(status), cpu_s, usage.ru_maxrss))
            continue
        if data not in prepared:
            limits = dict(zip(LIMITS, CLONE.unpack(data)))  # noqa: B905 - runs on any Python 3.8+
            prepared[data] = walls.prepare(os.getuid(), os.getgid(), limits, program)
        assert list(_FOUR_DESCRIPTORS.unpack(attached[0][2])) == STANDARD, attached
        try:
            pid = walls.clone_into_namespaces()
        except OSError as error:
            control.send(CLONED.pack(-1) + str(error).encode())
            pid = -1
        if pid == 0:
            _become_job(prepared[data], streams)
        for descriptor in STANDARD:
            os.close(descriptor)
        if pid > 0:
            pidfd = os.pidfd_open(pid)
            control.sendmsg([CLONED.pack(pid)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, _ONE_DESCRIPTOR.pack(pidfd))])
            os.close(pidfd)


def _become_job(prepared: walls.Walls, streams: dict[str, Any]) -> None:
    """Never returns. Exit 99 means that the walls could not be put up, with the reason on the reply pipe."""
    code = 99
    try:
        os.closerange(5, 1024)
        try:
            walls.wall_in(prepared)
        except OSError as error:
            write_frame(job.REPLIES, {"walls": str(error)})
            os._exit(code)
        os.write(job.REPLIES, READY)
        code = 1
        job.run(streams)
        code = 0
    finally:
        os._exit(code)


def _streams_of_pipes() -> dict[str, Any]:
    """Streams remember whether their descriptor can be wound back: made of pipes, which a job's are. Leaves /dev/null
    in their place.
    """
    devnull = os.open("/dev/null", os.O_RDWR)
    ends = os.pipe()
    for descriptor, end in ((0, ends[0]), (1, ends[1]), (2, ends[1])):
        os.dup2(end, descriptor)
    streams = job.standard_streams()
    for descriptor in (0, 1, 2):
        os.dup2(devnull, descriptor)
    for descriptor in (*ends, devnull):
        os.close(descriptor)
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
