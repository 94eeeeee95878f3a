"""The seccomp program, run by a BPF interpreter of our own: what it lets through, call by call.

Instruction encodings: linux/bpf_common.h; the data it reads: struct seccomp_data in linux/seccomp.h.
"""

import platform
import struct

import pyseccomp as seccomp
import pytest

from rewards.sandbox.seccomp import ALLOWED, filter_program

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[platform.machine()]
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
THREAD = 0x3D0F00  # the flags of pthread_create
FORK = 0x1200011


def run(program, call, arguments=(), architecture=ARCHITECTURE):
    """What the kernel would be told to do."""
    data = struct.pack("<iIQ6Q", call, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator = at = 0
    while True:
        code, when_true, when_false, k = instructions[at]
        at += 1
        if code == 0x20:  # load a word
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == 0x54:  # and
            accumulator &= k
        elif code == 0x05:  # jump
            at += k
        elif code in (0x15, 0x25, 0x35):  # equal, greater, greater or equal
            holds = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k}[code]
            at += when_true if holds else when_false
        elif code == 0x06:  # return
            return k
        else:
            raise AssertionError(f"instruction {code:#x}")


def number(name):
    return seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)


def test_every_call_there_is_gets_the_answer_of_the_list():
    program = filter_program()
    plain = {number(name) for name in ALLOWED}
    by_argument = {number(n) for n in ("clone", "clone3", "socketpair", "prlimit64", "prctl", "ioctl")}
    for call in range(1024):
        if call not in by_argument:
            assert run(program, call) == (ALLOW if call in plain else EPERM), call


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("clone", (THREAD,), ALLOW),
        ("clone", (FORK,), EPERM),
        ("clone", (0x100,), EPERM),  # CLONE_VM alone: another process that shares the memory
        ("clone3", (), ENOSYS),
        ("socketpair", (1,), ALLOW),
        ("socketpair", (2,), EPERM),
        ("socketpair", (1 << 32 | 1,), EPERM),
        ("prlimit64", (0, 7, 0, 0), ALLOW),
        ("prlimit64", (0, 7, 1, 0), EPERM),
        ("prlimit64", (0, 7, 1 << 32, 0), EPERM),
        ("prctl", (15,), ALLOW),
        ("prctl", (16,), ALLOW),
        ("prctl", (22,), EPERM),
        ("ioctl", (1, 0x5401), ALLOW),
        ("ioctl", (1, 0x5412), EPERM),  # TIOCSTI: type into a terminal
    ],
)
def test_calls_that_depend_on_an_argument(name, arguments, answer):
    assert run(filter_program(), number(name), arguments) == answer


def test_calls_of_another_architecture_end_the_process():
    assert run(filter_program(), number("read"), architecture=0x40000003) == 0x00000000  # i386: SECCOMP_RET_KILL
