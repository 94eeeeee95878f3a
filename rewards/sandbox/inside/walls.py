"""The walls around one job, put up by the job's own process before it reads any untrusted text.

`clone_into_namespaces` is `fork` into new user, pid, mount and ipc namespaces (raw system call, with the
interpreter lock held). The network and uts namespaces are those of the zygote,
which bubblewrap made: empty, and out of reach behind the filter, which allows no socket. One of its own for each
job would cost a third of the whole run. `wall_in` mounts, limits, drops
every capability and loads the seccomp filter. Sources: namespaces(7), user_namespaces(7), capabilities(7),
seccomp(2).

Every page of memory that a job is the first to write has to be copied, which is most of what a job costs. So whatever
does not depend on the job, down to the arguments of the system calls, is made once, before the clone (`prepare`).
"""

import ctypes
import os
import platform
import resource
import signal
from typing import Any, NamedTuple

_LIBC = ctypes.PyDLL(None, use_errno=True)
_SETRLIMIT = resource.setrlimit  # programs find another one (job.furnish)
_MOUNT, _PRCTL, _SYSCALL = _LIBC.mount, _LIBC.prctl, _LIBC.syscall
_CLONE_NUMBER = {"x86_64": 56, "aarch64": 220}
_CAPSET_NUMBER = {"x86_64": 126, "aarch64": 91}

CLONE_NEWNS, CLONE_NEWIPC = 0x00020000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522
JOB_UID = 1000


_CLONE = ctypes.c_long(_CLONE_NUMBER[platform.machine()])
_CLONE_FLAGS = ctypes.c_long(NAMESPACES | signal.SIGCHLD)
_CAPSET = ctypes.c_long(_CAPSET_NUMBER[platform.machine()])
_CAPABILITY_HEADER = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Walls(NamedTuple):
    """What `wall_in` is going to do."""

    maps: list[tuple[str, bytes]]
    """Files of /proc, and what is written there"""
    mounts: list[tuple[Any, ...]]
    """Arguments of mount(2)"""
    limits: list[tuple[int, tuple[int, int]]]
    filter: _FilterProgram


def clone_into_namespaces() -> int:
    """As `os.fork`: 0 in the new process, its pid in the caller; OSError when the kernel refuses.

    Python's own work around a fork is left out. It puts locks in order that another thread might hold; the caller has
    one thread, and each page that a child writes first has to be copied: it would be a seventh of the whole run.
    Of the hooks that modules register (`os.register_at_fork`) two would do something here: `random` would
    seed itself anew, and jobs are better off with the zygote's seed; `threading` would note the main thread's new
    number, which nothing but `native_id` shows.
    """
    pid = _SYSCALL(_CLONE, _CLONE_FLAGS, 0, 0, 0, 0)
    if pid < 0:
        raise _error("clone")
    return int(pid)


def prepare(outer_uid: int, outer_gid: int, limits: dict[str, int], program: bytes) -> Walls:
    """Walls for jobs with these limits: a small /tmp of the job's own, nothing to read in /proc, and what the BPF
    program allows.
    """
    mounts = [
        (b"none", b"/", b"", MS_REC | MS_PRIVATE, b""),
        (b"/tmp", b"/proc", b"", MS_BIND, b""),  # the zygote's /tmp, which is empty and read-only
        (
            b"tmpfs",
            b"/tmp",
            b"tmpfs",
            MS_NOSUID | MS_NODEV | MS_NOEXEC,
            b"size=%d,nr_inodes=%d,mode=0700" % (limits["tmp_bytes"], limits["tmp_files"]),
        ),
    ]
    values = [
        (resource.RLIMIT_CPU, limits["cpu_s"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["tmp_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_NPROC, limits["threads"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ]
    return Walls(
        [
            ("/proc/self/setgroups", b"deny"),
            ("/proc/self/uid_map", b"%d %d 1" % (JOB_UID, outer_uid)),
            ("/proc/self/gid_map", b"%d %d 1" % (JOB_UID, outer_gid)),
        ],
        [(source, target, kind, ctypes.c_ulong(flags), data) for source, target, kind, flags, data in mounts],
        [(name, (value, value)) for name, value in values],
        _filter_program(program),
    )


def wall_in(walls: Walls) -> None:
    """Everything between the clone and the first untrusted byte; OSError when any of it fails."""
    for path, text in walls.maps:
        descriptor = os.open(path, os.O_WRONLY)
        os.write(descriptor, text)
        os.close(descriptor)
    for arguments in walls.mounts:
        if _MOUNT(*arguments) != 0:
            raise _error("mount on " + arguments[1].decode())
    os.chdir("/tmp")
    for name, value in walls.limits:
        _SETRLIMIT(name, value)
    _drop_capabilities()
    _load_filter(walls.filter)


def allow_only(program: bytes) -> None:
    """From here on only the system calls that a BPF filter allows; cannot be undone."""
    _load_filter(_filter_program(program))


def _drop_capabilities() -> None:
    for capability in range(64):
        if _PRCTL(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one that this kernel knows
    if _SYSCALL(_CAPSET, _CAPABILITY_HEADER, _NO_CAPABILITIES) != 0:
        raise _error("capset")


def _filter_program(program: bytes) -> _FilterProgram:
    instructions = ctypes.create_string_buffer(program, len(program))
    return _FilterProgram(len(program) // 8, ctypes.cast(instructions, ctypes.c_void_p))


def _load_filter(program: _FilterProgram) -> None:
    if _PRCTL(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise _error("no_new_privs")
    if _PRCTL(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise _error("seccomp")


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, what + ": " + os.strerror(number))
