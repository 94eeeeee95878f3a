"""The system calls a job may make: an allow-list compiled to BPF outside, by libseccomp through pyseccomp.

Anything else fails with EPERM, `clone3` with ENOSYS so that the C library falls back to `clone`, which may
make threads only. No sockets but a pair of local ones (asyncio needs one), no new programs, no tracing, no
mounts.
"""

import errno
import tempfile
from functools import lru_cache

from dragoman.text.tables import read_table

ALLOWED: list[str] = read_table(__file__, "system_calls")["allowed"]
CLONE_VM, CLONE_THREAD = 0x100, 0x10000
AF_UNIX = 1
PR_SET_NAME, PR_GET_NAME = 15, 16
TCGETS, FIONBIO, FIONCLEX, FIOCLEX, FIONREAD, TIOCGWINSZ = 0x5401, 0x5421, 0x5450, 0x5451, 0x541B, 0x5413


@lru_cache(maxsize=1)
def filter_program() -> bytes:
    """The BPF program for this machine's architecture."""
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(defaction=seccomp.ERRNO(errno.EPERM))
    # A search tree: when a filter is loaded, the kernel runs it once for every call there is, and each job loads it.
    rules.set_attr(seccomp.Attr.CTL_OPTIMIZE, 2)
    for name in ALLOWED:
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # older calls do not exist on every architecture
            rules.add_rule(seccomp.ALLOW, name)
    threads = seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD)
    rules.add_rule(seccomp.ALLOW, "clone", threads)
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(seccomp.ALLOW, "socketpair", seccomp.Arg(0, seccomp.EQ, AF_UNIX))
    rules.add_rule(seccomp.ALLOW, "prlimit64", seccomp.Arg(2, seccomp.EQ, 0))
    for option in (PR_SET_NAME, PR_GET_NAME):
        rules.add_rule(seccomp.ALLOW, "prctl", seccomp.Arg(0, seccomp.EQ, option))
    for request in (TCGETS, FIONBIO, FIONCLEX, FIOCLEX, FIONREAD, TIOCGWINSZ):
        rules.add_rule(seccomp.ALLOW, "ioctl", seccomp.Arg(1, seccomp.EQ, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
