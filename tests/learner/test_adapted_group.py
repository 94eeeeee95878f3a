"""Adapters in the learner's actors: ranks and ZeRO change nothing, resuming is exact, the parent stays."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_group import OPTIMISER, batches, folder, settings, steps, weights

from dragoman.learner import LearnerGroup
from dragoman.learner.adapters import AdapterBase
from dragoman.learner.checkpoints import Snapshots

assert folder  # a fixture
LORA = {"adapter": {"kind": "lora", "rank": 4}}


async def trained(folder, target, **changes):
    """Three steps; losses, the saved weights, and the sampled checks of what the group says of its parent."""
    group = LearnerGroup(settings(**{**LORA, **changes}), "test")
    units = batches(1)[0]
    try:
        await group.start()
        await group.load(folder, OPTIMISER, seed=0)
        await group.load_frozen("reference", folder)
        before = await group.logprobs(units)
        losses = await steps(group, batches(3))
        after, reference = await group.logprobs(units), await group.logprobs(units, frozen="reference")
        buckets = await group.buckets(1 << 12)
        assert {bucket.adapters for bucket in buckets} == {AdapterBase(str(folder), "float32", 2.0)}
        names = [piece.name for bucket in buckets for piece in bucket.pieces if piece.is_last]
        await group.save(target)
        await group.load(target, OPTIMISER, seed=0)
        return losses, weights(target), (before, after, reference, await group.logprobs(units)), names
    finally:
        group.close()


@pytest.mark.slow
def test_ranks_and_zero_change_nothing_and_the_parent_stays(ray_cluster, folder, tmp_path):
    losses, reference, (before, after, parent, saved), names = asyncio.run(trained(folder, tmp_path / "one"))
    assert not [name for name in names if "lora" in name or "base" in name or name[-2:] not in ("#a", "#b")]
    assert np.abs(reference - weights(folder)).max() > 1e-3
    for first, then, without, merged in zip(before, after, parent, saved, strict=True):
        np.testing.assert_allclose(without, first, atol=1e-6)
        np.testing.assert_allclose(merged, then, atol=2e-5)
        assert np.abs(then - first).max() > 1e-3
    for zero in (1, 3):
        other_losses, other, *_ = asyncio.run(trained(folder, tmp_path / f"zero{zero}", ranks=2, zero_stage=zero))
        assert other_losses == pytest.approx(losses, rel=1e-5), f"ZeRO {zero}"
        assert np.quantile(np.abs(other - reference), 0.999) <= 1e-5, f"ZeRO {zero}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [LORA, {**LORA, "dtype": "bfloat16"}, {"freeze_embeddings": True}],
    ids=["lora", "lora bfloat16", "frozen embeddings"],
)
def test_resumed_training_is_exact(ray_cluster, folder, tmp_path, changes):
    async def both():
        group = LearnerGroup(settings(**changes), "test")
        try:
            await group.start()
            await group.load(folder, OPTIMISER, seed=0)
            head = await steps(group, batches(4)[:2])
            snapshots = Snapshots(group, tmp_path)
            await snapshots.take(2)
            whole = head + await steps(group, batches(4)[2:], first=2)
            await group.save(tmp_path / "whole")
            await group.load(folder, OPTIMISER, seed=1)  # fresh adapters of another seed
            await snapshots.load()
            resumed = head + await steps(group, batches(4)[2:], first=2)
            await group.save(tmp_path / "resumed")
            return whole, resumed
        finally:
            group.close()

    whole, resumed = asyncio.run(both())
    assert whole == resumed
    np.testing.assert_array_equal(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))
    embedding = weights(tmp_path / "whole")[: 97 * 32], weights(folder)[: 97 * 32]
    if changes.get("dtype") != "bfloat16":
        np.testing.assert_array_equal(*embedding)
