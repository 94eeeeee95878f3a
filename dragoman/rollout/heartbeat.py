"""Whether the processes of an engine still run, however long its step takes.

An engine answers nothing while it computes, loads weights or waits for some, and that may rightly take minutes. So a
thread in each of its processes says once a second that it is there, on a socket of the actor's that has no file and
ends with it. A process that was stopped, or holds the interpreter lock for ever, falls silent.
"""

import asyncio
import math
import os
import socket
import time
from contextlib import suppress

from dragoman.actors import is_stopped_here


def _address(actor: int) -> str:
    return f"\0dragoman-engine-of-{actor}"


class Heartbeats:
    """The actor's end; on its event loop."""

    def __init__(self) -> None:
        self._last: dict[bytes, float] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(_address(os.getpid()))
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def silence_s(self) -> float:
        """Seconds since the process that has been silent the longest was heard; 0 where none was heard yet, infinite
        where somebody stopped one."""
        self._hear()
        if any(is_stopped_here(int(pid)) for pid in self._last):
            return math.inf
        return max((time.monotonic() - last for last in self._last.values()), default=0.0)

    def _hear(self) -> None:
        """All that was said; an actor that was busy itself may have much to catch up with."""
        with suppress(BlockingIOError):
            while True:
                self._last[self._socket.recv(64)] = time.monotonic()


class Heart:
    """The end of a process of the engine."""

    def __init__(self, actor: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._actor = actor

    def beat(self) -> None:
        """Say that this process runs; an actor that does not listen misses it."""
        with suppress(OSError):
            self._socket.sendto(str(os.getpid()).encode(), _address(self._actor))
