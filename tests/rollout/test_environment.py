"""The environment of the processes that compute: tcmalloc on CPU, unless the user preloads something."""

import ctypes.util
import subprocess
import sys

import pytest

from dragoman.actors import allocator
from dragoman.learner import LearnerSettings
from dragoman.learner.group import _environment as of_learner
from dragoman.rollout import RolloutSettings
from dragoman.rollout.fleet import _environment as of_engine

TCMALLOC = ctypes.util.find_library("tcmalloc_minimal")


@pytest.fixture(autouse=True)
def nothing_preloaded(monkeypatch):
    monkeypatch.delenv("LD_PRELOAD", raising=False)


def test_learner_and_engine_on_cpu_take_tcmalloc_and_those_on_a_gpu_do_not():
    assert TCMALLOC, "requirements/install.sh installs libtcmalloc-minimal4"
    assert of_learner(LearnerSettings())["LD_PRELOAD"] == of_engine(RolloutSettings())["LD_PRELOAD"] == TCMALLOC
    assert "LD_PRELOAD" not in of_learner(LearnerSettings(gpus_per_rank=1))
    assert "LD_PRELOAD" not in of_engine(RolloutSettings(gpus_per_worker=1))


def test_an_engine_on_cpu_keeps_few_compiled_products_unless_the_user_says_how_many(monkeypatch):
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    assert of_engine(RolloutSettings())["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "256"
    assert "ONEDNN_PRIMITIVE_CACHE_CAPACITY" not in of_engine(RolloutSettings(gpus_per_worker=1))
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "1024")
    assert of_engine(RolloutSettings())["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "1024"


def test_what_the_user_preloads_stays(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "libown.so")
    assert allocator() == {}


def test_a_process_with_it_has_tcmalloc_mapped():
    look = "print('tcmalloc_minimal' in open('/proc/self/maps').read())"
    done = subprocess.run([sys.executable, "-c", look], env=allocator(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
