"""A resumable state goes on, on another number of ranks, as the ranks that wrote it would have."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_group import batches, folder, settings, steps, weights

from dragoman.learner import LearnerGroup, OptimiserSettings
from dragoman.learner.checkpoints import Snapshots
from dragoman.learner.resharding import CheckpointMismatch, Sharding

assert folder  # a fixture
OPTIMISER = OptimiserSettings(weight_decay=0.5)  # as much as shows when norms decay, too
LORA = {"adapter": {"kind": "lora", "rank": 4}}


async def written(folder, tmp_path, changes):
    """Two steps and a state, then two more: their losses and the weights."""
    group = LearnerGroup(settings(**changes), "test")
    try:
        await group.start()
        await group.load(folder, OPTIMISER, seed=0)
        await steps(group, batches(4)[:2])
        snapshots = Snapshots(group, tmp_path / "states")
        await snapshots.take(2)
        losses = await steps(group, batches(4)[2:], first=2)
        await snapshots.finish()
        await group.save(tmp_path / "whole")
        return losses, weights(tmp_path / "whole")
    finally:
        group.close()


async def resumed(folder, tmp_path, changes):
    """The last two steps, from the state."""
    group = LearnerGroup(settings(**changes), "test")
    try:
        await group.start()
        await group.load(folder, OPTIMISER, seed=1)
        assert await Snapshots(group, tmp_path / "states").load() == 2
        losses = await steps(group, batches(4)[2:], first=2)
        await group.save(tmp_path / "resumed")
        return losses, weights(tmp_path / "resumed")
    finally:
        group.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "changes"),
    [
        ((1, 2), {"zero_stage": 0}),
        ((2, 3), {"zero_stage": 1}),
        ((2, 1), {"zero_stage": 1, "dtype": "bfloat16", **LORA}),
        ((2, 1), {"zero_stage": 3}),
        ((1, 2), {"zero_stage": 3, "freeze_embeddings": True}),
    ],
    ids=["no ZeRO", "ZeRO 1", "ZeRO 1, bfloat16, LoRA", "ZeRO 3", "ZeRO 3, frozen embeddings"],
)
def test_another_number_of_ranks_goes_on_alike(ray_cluster, folder, tmp_path, ranks, changes):
    losses, whole = asyncio.run(written(folder, tmp_path, {"ranks": ranks[0], **changes}))
    other_losses, other = asyncio.run(resumed(folder, tmp_path, {"ranks": ranks[1], **changes}))
    half = changes.get("dtype") == "bfloat16"
    assert other_losses == pytest.approx(losses, rel=1e-2 if half else 1e-5)
    difference = np.abs(other - whole)
    assert np.quantile(difference, 0.999) <= (1e-3 if half else 1e-5)
    assert [path.name for path in (tmp_path / "states").glob("step_*")] == ["step_00000002"]


def test_another_stage_of_zero_or_precision_is_refused_with_the_mend(tmp_path):
    Sharding(2, 1, "float32").check(Sharding(8, 1, "float32"), tmp_path)
    for other in (Sharding(2, 3, "float32"), Sharding(2, 1, "bfloat16")):
        with pytest.raises(CheckpointMismatch, match="finish the stage with the old ones"):
            Sharding(2, 1, "float32").check(other, tmp_path)
