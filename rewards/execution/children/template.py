"""The template process: import and warm one kind, then fork workers on request.

Started as `python -m rewards.execution.children.template CONTROL_FD`. Messages on the control socket: first the
pickled `Setup`, answered by `ready` or an error text; then one byte with a socket attached for each worker
wanted, answered by a byte with the worker's pidfd attached. Template and workers die with the process
(thread) that started them.
"""

import ctypes
import json
import os
import pickle
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Setup:
    """What a template needs to know before it forks workers."""

    kind: str
    plugins: tuple[object, ...]
    memory_bytes: int
    cpu_s: int


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """The template process: read the setup, load the kind, then fork a worker at each request."""
    die_with_parent()
    control = socket.socket(fileno=int(sys.argv[1]))
    with Connection(os.dup(control.fileno())) as link:
        setup: Setup = pickle.loads(link.recv_bytes())
        try:
            _prepare(setup)
        except Exception as error:
            link.send_bytes(f"{type(error).__name__}: {error}".encode())
            return
        link.send_bytes(b"ready")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message or not descriptors:
            return
        _fork_worker(control, descriptors[0], setup)


def _fork_worker(control: socket.socket, descriptor: int, setup: Setup) -> None:
    pid = os.fork()
    if pid == 0:
        control.close()
        _serve(Connection(descriptor), setup)
    os.close(descriptor)
    pidfd = os.pidfd_open(pid)
    socket.send_fds(control, [b"w"], [pidfd])
    os.close(pidfd)


def _serve(connection: Connection, setup: Setup) -> None:
    from rewards.calling import call
    from rewards.registry import find_kind

    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (setup.memory_bytes, setup.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (setup.cpu_s, setup.cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kind = find_kind(setup.kind)
    if kind.confine:
        _confine()
    try:
        while True:
            spec, row = pickle.loads(connection.recv_bytes())
            connection.send_bytes(json.dumps(call(kind, spec, row).to_dict()).encode())
    finally:  # above all at the end of the stream
        os._exit(0)


def _confine() -> None:
    """The system calls of the code sandbox, and no byte written to any file."""
    from rewards.sandbox.inside.walls import allow_only
    from rewards.sandbox.seccomp import filter_program

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    allow_only(filter_program())


def _prepare(setup: Setup) -> None:
    import rewards  # noqa: F401 - registers the built-in kinds
    from rewards.plugins import PluginSource, load_source
    from rewards.registry import find_kind

    for plugin in setup.plugins:
        assert isinstance(plugin, PluginSource)
        load_source(plugin)
    kind = find_kind(setup.kind)
    if kind.confine:
        from rewards.sandbox.seccomp import filter_program

        filter_program()  # kept, so that no worker has to build it
    if kind.prepare is not None:
        kind.prepare()


if __name__ == "__main__":
    # Unpickling `Setup` needs the module under its real name.
    from rewards.execution.children import template

    template.main()
