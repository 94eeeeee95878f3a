"""A value head and a reference that follows the policy, in the learner's actors: ranks and ZeRO change nothing,
resuming is exact, and nobody who gets weights sees either."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_group import OPTIMISER, folder, settings, weights
from test_invariance import near
from tiny import random_sequences

from dragoman.learner import LearnerGroup, Objective, ValueHead
from dragoman.learner.checkpoints import Snapshots
from dragoman.learner.losses import PolicyGradient, ValueLoss

assert folder  # a fixture
LORA = {"adapter": {"kind": "lora", "rank": 4}}
HEAD = ValueHead(learning_rate_factor=10.0)
LOSS = PolicyGradient(value=ValueLoss(0.5, 0.2), entropy_coefficient=0.01)


def units(seed):
    channels = {"behaviour_logprobs": near, "values": lambda rng, n: 0.1 * rng.standard_normal(n)}
    channels |= {name: lambda rng, n: rng.standard_normal(n) for name in ("advantages", "returns")}
    return [(s,) for s in random_sequences([11, 40, 23, 9, 31, 17], seed=seed, **channels)]


async def steps(group, seeds):
    """Losses of one step a batch."""
    found = []
    for seed in seeds:
        batch = units(seed)
        tokens = float(sum(s.channels["loss_mask"].sum() for (s,) in batch))
        metrics = await group.train_step([Objective(batch, LOSS, {"tokens": tokens})], 1e-3)
        found.append((metrics["loss"], metrics["value_loss"]))
    return found


async def trained(folder, target, **changes):
    """Three steps: losses, values before and after, saved weights, names of what is exported."""
    group = LearnerGroup(settings(**changes), "test")
    try:
        await group.start()
        await group.load(folder, OPTIMISER, 0, HEAD)
        before = await group.values(units(9))
        losses = await steps(group, range(3))
        names = [piece.name for bucket in await group.buckets(1 << 12) for piece in bucket.pieces if piece.is_last]
        await group.save(target)
        return losses, before, np.concatenate(await group.values(units(9))), weights(target), names
    finally:
        group.close()


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "stages"), [({}, (0, 1, 2, 3)), (LORA, (3,))], ids=["all weights", "lora"])
def test_ranks_and_zero_change_nothing_and_a_value_head_stays_at_home(ray_cluster, folder, tmp_path, changes, stages):
    losses, before, values, saved, names = asyncio.run(trained(folder, tmp_path / "one", **changes))
    assert not any(value.any() for value in before)
    assert np.abs(values).max() > 1e-2
    assert names and not [name for name in names if "value_head" in name]
    for zero in stages:
        found = asyncio.run(trained(folder, tmp_path / f"{zero}", ranks=2, zero_stage=zero, **changes))
        np.testing.assert_allclose(found[0], losses, rtol=2e-5, err_msg=f"ZeRO {zero}")
        np.testing.assert_allclose(found[2], values, atol=2e-4, err_msg=f"ZeRO {zero}")
        assert np.quantile(np.abs(found[3] - saved), 0.999) <= 2e-5, f"ZeRO {zero}"


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"ranks": 2, "zero_stage": 2}, {**LORA, "zero_stage": 3}], ids=["whole", "lora"])
def test_resuming_brings_back_value_head_and_reference(ray_cluster, folder, tmp_path, changes):
    async def told(group):
        probe = units(9)
        return [
            np.concatenate(found)
            for found in (
                await group.values(probe), await group.logprobs(probe), await group.logprobs(probe, 1.0, "reference")
            )
        ]  # fmt: skip

    async def both():
        group = LearnerGroup(settings(**changes), "test")
        try:
            await group.start()
            await group.load(folder, OPTIMISER, 0, HEAD)
            await group.load_frozen("reference", folder)
            parent = (await told(group))[2]
            await steps(group, [0, 1])
            _, policy, still = await told(group)
            np.testing.assert_allclose(still, parent, atol=1e-6)  # it does not follow by itself
            await group.refresh_frozen("reference")
            _, _, refreshed = await told(group)
            await steps(group, [2])
            snapshots = Snapshots(group, tmp_path)
            await snapshots.take(3)
            whole = await steps(group, [3, 4]), await told(group)
            await group.load(folder, OPTIMISER, 1, HEAD)  # as a new process would
            await group.load_frozen("reference", folder)
            await snapshots.load()
            return policy, refreshed, whole, (await steps(group, [3, 4]), await told(group))
        finally:
            group.close()

    policy, refreshed, whole, resumed = asyncio.run(both())
    np.testing.assert_allclose(refreshed, policy, atol=3e-5)  # merged weights against base and adapter
    assert np.abs(refreshed - whole[1][1]).max() > 1e-3  # the policy went on
    np.testing.assert_array_equal(whole[1][2], refreshed)
    assert whole[0] == resumed[0]
    for before, after in zip(whole[1], resumed[1], strict=True):
        np.testing.assert_array_equal(after, before)
