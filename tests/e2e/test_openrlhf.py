"""The RL stage by OpenRLHF's own trainer, on CPU with the stand-ins of `openrlhf_cpu`."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.short_run import lines, submit

pytestmark = pytest.mark.slow

STAND_INS = Path(__file__).parent / "openrlhf_cpu"
OURS = ("rl.backend=openrlhf", "rl.steps=3", "rl.learning_rate=1e-3", "rl.ptx.coefficient=0",
        "rl.direction_replay.coefficient=0")  # fmt: skip


@pytest.fixture(scope="module")
def gpu_head():
    """A head whose processes have the stand-ins, and four logical GPUs."""
    from cluster.head import start_head

    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "RAY_OVERRIDE_RESOURCES", "VLLM_CPU_KVCACHE_SPACE")}
    os.environ |= {
        "PYTHONPATH": str(STAND_INS),
        "RAY_OVERRIDE_RESOURCES": json.dumps({"CPU": 10, "GPU": 4}),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "TORCHDYNAMO_DISABLE": "1",
    }
    found = start_head()
    yield found
    found.stop()
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def test_the_recipe_goes_to_openrlhf_and_its_checkpoint_comes_back(untouched, gpu_head, output):
    shutil.copytree(untouched, output / "handed")
    code, text = submit(gpu_head, output, *(word for key in ("name=handed", *OURS) for word in ("--set", key)))
    folder = output / "handed"
    log = folder / "stages/rl/openrlhf.log"
    assert code == 0, f"{text}\n{log.read_text()[-8000:] if log.exists() else ''}"
    manifest = json.loads((folder / "stages/rl/manifest.json").read_text())
    assert manifest["metrics"]["backend"] == "openrlhf"
    assert (folder / "stages/rl/model/model.safetensors").exists()
    assert (folder / "stages/rl/evaluation.json").exists()  # our engine reads the checkpoint
    steps = [line for line in lines(folder / "metrics.jsonl") if line["stage"] == "rl"]
    assert [line["step"] for line in steps] == [0, 1, 2]
    samples = lines(folder / "samples.jsonl")
    for line in steps:  # what OpenRLHF trained on is what our verifiers gave
        rewards = [s["reward"] for s in samples if s["step"] == line["step"]]
        assert len(rewards) == 16 and abs(sum(rewards) / 16 - line["reward_mean"]) < 1e-3
