"""Real engines that are killed or stopped amid answers and amid a weight sync: nobody notices but the log."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "learner"))
from dragoman.learner import LearnerGroup, LearnerSettings, OptimiserSettings
from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings, sample_seed
from tests.rollout.test_sync import PROMPTS, base, disagreement, learn

SEEDS = [[sample_seed(0, f"p{i}", k) for k in range(3)] for i in range(len(PROMPTS))]


class TrippedSource:
    """A learner that lets something happen after it has sent a bucket."""

    def __init__(self, learner, trip):
        self.learner, self.trip = learner, trip

    def __getattr__(self, name):
        return getattr(self.learner, name)

    async def send_bucket(self, bucket):
        sent = await self.learner.send_bucket(bucket)
        trip, self.trip = self.trip, None
        happened = trip() if trip is not None else None
        if happened is not None:
            await happened
        return sent


async def answers(rollout, disturb=None):
    """Answers to all prompts by prompt and seed; `disturb` is called when the first has come."""
    found = {}

    async def group(number):
        nonlocal disturb
        async for place, answer in rollout.generate_group(PROMPTS[number], SamplingSettings(100, 1.0), SEEDS[number]):
            assert (number, place) not in found
            found[number, place] = answer
            happens, disturb = disturb, None
            if happens is not None:
                happens()

    await asyncio.gather(*(group(number) for number in range(len(PROMPTS))))
    return [found[key] for key in sorted(found)]


def plain(found):
    return [(answer.token_ids, answer.logprobs, answer.version_first, answer.version_last) for answer in found]


async def agrees(learner, rollout):
    """Largest difference between learner and engine, on fresh answers."""
    got = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), [one for one, *_ in SEEDS])
    return await disagreement(learner, got)


def engine(rollout):
    (found,) = [p for p in psutil.Process(pid(rollout)).children() if "Engine" in " ".join(p.cmdline())]
    return found


def pid(rollout):
    return rollout.fleet.workers[0].process.pid


async def scenario(folder):
    learner = LearnerGroup(LearnerSettings(ranks=1, cpus_per_rank=0.1, row_tokens=128), "faults")
    settings = RolloutSettings(
        cpus_per_worker=0.1, threads=1, sync_bucket_mib=0.02, kv_cache_gib=0.05, health_deadline_s=8.0
    )
    rollout = RolloutGroup(folder, settings, 128, "faults")
    try:
        await asyncio.gather(rollout.start(), learner.start())
        await learner.load(folder, OptimiserSettings(), 0)
        await rollout.sync(learner, 1)
        found = {"same": [], "agree": [], "seconds": []}

        async def synced(version, disturb):
            await learn(learner)
            began = time.monotonic()
            await rollout.sync(TrippedSource(learner, disturb), version)
            assert {a.version_first for a in await answers(rollout)} == {version}
            found["seconds"].append(round(time.monotonic() - began, 1))
            found["agree"].append(await agrees(learner, rollout))

        await synced(2, learner.close_channel)
        undisturbed = plain(await answers(rollout))
        for disturb in (lambda: os.kill(pid(rollout), signal.SIGKILL), lambda: engine(rollout).suspend()):
            began = time.monotonic()
            found["same"].append(plain(await answers(rollout, disturb)) == undisturbed)
            found["seconds"].append(round(time.monotonic() - began, 1))
            found["agree"].append(await agrees(learner, rollout))
            print(found, flush=True)
        await synced(3, lambda: engine(rollout).kill())
        found["restarts"] = rollout.restarts
        return found
    finally:
        learner.close()
        rollout.close()


@pytest.mark.slow
def test_a_lost_engine_is_replaced_with_equal_weights_and_gives_equal_answers(ray_cluster, tmp_path):
    base(tmp_path, tied=True)
    found = asyncio.run(scenario(tmp_path))
    print(found)
    assert found["same"] == [True] * 2  # token by token, log-probs to the last bit
    assert max(found["agree"]) <= 1e-4
    assert found["restarts"] == 3  # a channel that broke off costs none
