"""Freed memory goes back to the system under either allocator, also what stands below a block that is still held."""

import ctypes.util
import os
import subprocess
import sys

import pytest

LOOK = """
import psutil
from dragoman.learner.device import give_back_freed
resident = lambda: psutil.Process().memory_info().rss >> 20
blocks = [b"x" * 60_000 for _ in range(4_000)]
full, held = resident(), blocks[-1]
del blocks
give_back_freed()
print(full, resident())
"""


@pytest.mark.parametrize("preloaded", [ctypes.util.find_library("tcmalloc_minimal"), ""], ids=["tcmalloc", "glibc"])
def test_freed_memory_goes_back_to_the_system(preloaded):
    assert preloaded is not None, "requirements/install.sh installs libtcmalloc-minimal4"
    environment = os.environ | {"LD_PRELOAD": preloaded}
    told = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)
    full, left = map(int, told.stdout.split())
    assert full - left > 200  # of 229 MiB
