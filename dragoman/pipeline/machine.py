"""What this machine has that a recipe depends on: cores, memory, bfloat16, and how fast it multiplies."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

BFLOAT16_FLAGS = ("amx_bf16", "avx512_bf16")
"""Of /proc/cpuinfo on x86; without one of them bfloat16 is emulated, several times slower than float32"""


@dataclass(frozen=True)
class Machine:
    """One node without GPUs."""

    cores: int
    free_bytes: int
    bfloat16: str
    """The instructions that compute in it; empty = none"""
    operations_per_s: float
    """Of a large matrix product in the dtype that is faster, all cores"""

    @property
    def dtype(self) -> str:
        """The dtype that is faster here."""
        return "bfloat16" if self.bfloat16 else "float32"


def examine_machine(seconds: float = 1.0) -> Machine:
    """This node; multiplies matrices for about `seconds`."""
    found = bfloat16_instructions()
    rate = multiplication_rate("bfloat16" if found else "float32", 1024, seconds)
    return Machine(len(os.sched_getaffinity(0)), psutil.virtual_memory().available, found, rate)


def bfloat16_instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The best of `BFLOAT16_FLAGS` that the processor has, empty if it has none or does not say."""
    try:
        flags = cpuinfo.read_text(encoding="utf-8").split()
    except OSError:  # no Linux
        return ""
    return next((flag for flag in BFLOAT16_FLAGS if flag in flags), "")


def multiplication_rate(dtype: str, side: int, seconds: float) -> float:
    """Operations a second of products of square matrices, measured for about `seconds`."""
    import torch

    a, b = (torch.randn(side, side).to(getattr(torch, dtype)) for _ in range(2))
    for _ in range(3):
        a @ b
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        a @ b
        count += 1
    return 2 * side**3 * count / (time.perf_counter() - started)
