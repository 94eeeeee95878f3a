"""Shared by all tests: the code beside the tests is what is tested, and one small Ray for the session."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
END_TO_END = ROOT / "tests" / "e2e"
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
collect_ignore = [] if "DRAGOMAN_TEST_GPU" in os.environ else ["gpu"]
"""`make test-gpu` runs what needs a GPU, and nothing else does"""


@pytest.fixture(scope="session")
def ray_cluster():
    """A local Ray with logical CPUs to spare (the actors of a test share the two real ones)."""
    import ray

    if not ray.is_initialized():
        ray.init(
            address="local",
            num_cpus=8,
            include_dashboard=False,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        )
    yield ray


def pytest_collection_modifyitems(items):
    """Tests that start a Ray of their own first, then those that share one, then the rest; files stay whole."""
    shared = {item.path for item in items if "ray_cluster" in item.fixturenames}
    items.sort(key=lambda item: 0 if END_TO_END in item.path.parents else 1 if item.path in shared else 2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n`: the end-to-end tests and those on Ray come from one end, the rest from the other.

    A Ray that starts beside another on two busy cores can miss its deadlines, and a long file that is left for the end
    keeps one process waiting. All end-to-end files go to one process, since they share a head and a finished run.
    """
    from xdist.scheduler import LoadFileScheduling

    class BothEnds(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "end to end" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)

        def _assign_work_unit(self, node):
            if node is not self.nodes[0]:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            super()._assign_work_unit(node)

    config.option.loadscopereorder = False  # it would begin with the files that have the most tests
    return BothEnds(config, log)
