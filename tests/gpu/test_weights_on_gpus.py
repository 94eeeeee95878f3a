"""After every sync engines on a GPU compute what the learner computes, whatever the transport; and they take turns."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "learner"))
from cluster.placement import give_back, shared_places
from dragoman.learner import LearnerGroup, LearnerSettings, OptimiserSettings
from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings, sample_seed
from tests.rollout.test_sync import PROMPTS, base, disagreement, learn

SEEDS = [sample_seed(0, "p", i) for i in range(len(PROMPTS))]
SHARE = {"gpus_per_worker": 0.5, "gpu_memory_share": 0.3, "colocate": True}


def gpus():
    import torch

    return torch.accelerator.device_count()


async def rounds(folder, learner_settings, rollout_settings, places=None):
    """Differences of log-probs after three steps, each with its sync; with sleep where GPUs are shared."""
    given = {} if places is None else {"places": places}
    learner = LearnerGroup(learner_settings, "gpu", **given)
    rollout = RolloutGroup(folder, rollout_settings, 128, "gpu", **given)
    found = []
    try:
        await asyncio.gather(learner.start(), rollout.start())
        await learner.load(folder, OptimiserSettings(), 0)
        for version in range(1, 4):
            await rollout.sleep()
            await learn(learner)
            await rollout.sync(learner, version)
            answers = await rollout.generate_many(PROMPTS, SamplingSettings(20, 1.0), SEEDS)
            found.append(await disagreement(learner, answers))
        return found
    finally:
        learner.close()
        rollout.close()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("transport", ["ipc", "shared_memory", "gloo"])
def test_learner_and_engine_take_turns_on_one_gpu_and_agree(ray_with_gpus, tmp_path, transport, tied):
    base(tmp_path, tied)
    places = shared_places(1, 0.2, 1.0)
    learner = LearnerSettings(cpus_per_rank=0.1, gpus_per_rank=0.5, row_tokens=128)
    rollout = RolloutSettings(cpus_per_worker=0.1, sync_bucket_mib=0.02, transport=transport, **SHARE)
    try:
        assert max(asyncio.run(rounds(tmp_path, learner, rollout, places))) < 1e-3
    finally:
        give_back(places)


def test_between_two_gpus_by_nccl(ray_with_gpus, tmp_path):
    assert gpus() >= 2, f"two GPUs are needed for this test, {gpus()} is here"
    base(tmp_path, True)
    learner = LearnerSettings(cpus_per_rank=0.1, gpus_per_rank=1, row_tokens=128)
    rollout = RolloutSettings(
        cpus_per_worker=0.1, gpus_per_worker=1, gpu_memory_share=0.3, sync_bucket_mib=0.02, transport="nccl"
    )
    assert max(asyncio.run(rounds(tmp_path, learner, rollout))) < 1e-3


def test_an_engine_that_sleeps_gives_its_memory_back(ray_with_gpus, tmp_path):
    """What is free on the GPU while the engine sleeps, seen by the learner's rank, is more than half of its share."""
    import torch

    base(tmp_path, True)
    places = shared_places(1, 0.2, 1.0)
    rollout = RolloutGroup(tmp_path, RolloutSettings(cpus_per_worker=0.1, **SHARE), 128, "gpu-sleep", places)

    async def scenario():
        await rollout.start()
        awake, whole = torch.accelerator.get_memory_info()
        await rollout.sleep()
        asleep, _ = torch.accelerator.get_memory_info()
        return asleep - awake, whole

    try:
        freed, whole = asyncio.run(scenario())
    finally:
        rollout.close()
        give_back(places)
    assert freed > 0.5 * SHARE["gpu_memory_share"] * whole
