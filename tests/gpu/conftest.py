"""Tests for a machine with a GPU (`make test-gpu`): one sentence and an error where there is none."""

import pytest

from dragoman.learner.device import uses_gpu


def pytest_collection_finish(session):
    if not uses_gpu():
        pytest.exit("no GPU is here: torch sees none, so not one test of tests/gpu was run", returncode=3)


@pytest.fixture(scope="session")
def ray_with_gpus():
    """A local Ray that knows of the GPUs."""
    import ray

    from tests.conftest import ROOT

    ray.init(
        address="local", num_cpus=8, include_dashboard=False, log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )  # fmt: skip
    yield ray
    ray.shutdown()
