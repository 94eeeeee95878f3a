"""A local Ray for the tests that need pools, and tiny COMET models for those that score with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

sys.path.insert(0, str(Path(__file__).parent))
from comet_samples import SAMPLES


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    started = not ray.is_initialized()
    if started:
        ray.init(address="local", num_cpus=2, include_dashboard=False)
    yield
    if started:
        ray.shutdown()


@pytest.fixture(scope="session")
def comet_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny checkpoints, and what unbabel-comet itself makes of the samples with them."""
    from rewards.execution.environments import python_of

    folder = tmp_path_factory.mktemp("comet")
    (folder / "samples.json").write_text(json.dumps(SAMPLES))
    script = Path(__file__).parent / "comet_checkpoints.py"
    command = [python_of("comet"), "-W", "ignore", script, folder]
    made = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert made.returncode == 0, made.stderr[-3000:]
    return folder
