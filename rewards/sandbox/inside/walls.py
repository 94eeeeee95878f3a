"""The walls around one job, put up by the job's own process before it reads any untrusted text.

`clone_into_namespaces` is `fork` into new user, pid, mount and ipc namespaces (raw system call, with the
interpreter lock held). The network and uts namespaces are those of the zygote,
which bubblewrap made: empty, and out of reach behind the filter, which allows no socket. One of its own for each
job would cost a third of the whole run. `wall_in` mounts, limits, drops
every capability and loads the seccomp filter. Sources: namespaces(7), user_namespaces(7), capabilities(7),
seccomp(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
from typing import Any

_LIBC = ctypes.PyDLL(None, use_errno=True)
_CLONE_NUMBER = {"x86_64": 56, "aarch64": 220}
_CAPSET_NUMBER = {"x86_64": 126, "aarch64": 91}

CLONE_NEWNS, CLONE_NEWIPC = 0x00020000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REC, MS_PRIVATE = 16384, 1 << 18
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522
JOB_UID = 1000


# made before the clone: every page a job writes first has to be copied
_CLONE = ctypes.c_long(_CLONE_NUMBER[platform.machine()])
_CAPSET = ctypes.c_long(_CAPSET_NUMBER[platform.machine()])
_CAPABILITY_HEADER = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def clone_into_namespaces() -> int:
    """As `os.fork`: 0 in the new process, its pid in the caller; OSError when the kernel refuses.

    Python's own work around a fork is left out. It puts locks in order that another thread might hold; the caller has
    one thread, and each page that a child writes first has to be copied: it would be a seventh of the whole run.
    Of the hooks that modules register (`os.register_at_fork`) two would do something here: `random` would
    seed itself anew, and jobs are better off with the zygote's seed; `threading` would note the main thread's new
    number, which nothing but `native_id` shows.
    """
    pid = _LIBC.syscall(_CLONE, ctypes.c_long(NAMESPACES | signal.SIGCHLD), 0, 0, 0, 0)
    if pid < 0:
        error = ctypes.get_errno()
        raise OSError(error, "clone: " + os.strerror(error))
    return int(pid)


def wall_in(outer_uid: int, outer_gid: int, limits: dict[str, int], program: bytes) -> None:
    """Everything between the clone and the first untrusted byte; OSError when any of it fails."""
    _map_ids(outer_uid, outer_gid)
    _mount_scratch(limits)
    _set_limits(limits)
    _drop_capabilities()
    allow_only(program)


def allow_only(program: bytes) -> None:
    """From here on only the system calls that a BPF filter allows; cannot be undone."""
    _check(_LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _load_filter(program)


def _map_ids(outer_uid: int, outer_gid: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{JOB_UID} {outer_uid} 1"),
        ("gid_map", f"{JOB_UID} {outer_gid} 1"),
    ):
        descriptor = os.open("/proc/self/" + name, os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _mount_scratch(limits: dict[str, int]) -> None:
    """A small /tmp of the job's own, and nothing to read in /proc."""
    _mount(b"none", b"/", b"", MS_REC | MS_PRIVATE, b"")
    options = b"size=%d,nr_inodes=%d,mode=0700" % (limits["tmp_bytes"], limits["tmp_files"])
    _mount(b"tmpfs", b"/tmp", b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    _mount(b"tmpfs", b"/proc", b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, b"size=0,nr_inodes=2")
    os.chdir("/tmp")


def _set_limits(limits: dict[str, int]) -> None:
    for name, value in (
        ("RLIMIT_CPU", limits["cpu_s"]),
        ("RLIMIT_AS", limits["memory_bytes"]),
        ("RLIMIT_FSIZE", limits["tmp_bytes"]),
        ("RLIMIT_NOFILE", limits["open_files"]),
        ("RLIMIT_NPROC", limits["threads"]),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_MEMLOCK", 0),
        ("RLIMIT_MSGQUEUE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (value, value))


def _drop_capabilities() -> None:
    for capability in range(64):
        if _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one that this kernel knows
    _check(_LIBC.syscall(_CAPSET, _CAPABILITY_HEADER, _NO_CAPABILITIES), "capset")


def _load_filter(program: bytes) -> None:
    buffer = ctypes.create_string_buffer(program, len(program))
    loaded = _FilterProgram(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _check(_LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(loaded), 0, 0), "seccomp")


def _mount(source: bytes, target: bytes, kind: bytes, flags: int, data: bytes) -> None:
    result = _LIBC.mount(source, target, kind, ctypes.c_ulong(flags), data)
    _check(result, "mount on " + target.decode())


def _check(result: Any, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, what + ": " + os.strerror(error))
