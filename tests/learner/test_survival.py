"""Ranks that die or hang between checkpoints: losses and weights are those of an undisturbed run, to the last bit."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_group import OPTIMISER, batches, settings, weights
from tiny import tiny_model

from dragoman.learner import Objective, SurvivingLearner
from dragoman.learner.checkpoints import Snapshots, latest_step
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.survival import LearnerLost
from pretrain_sft.tokenizer import train_tokenizer

STEPS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    tiny_model().save_pretrained(path)
    train_tokenizer(["a b c"], 300).save_pretrained(path)
    return path


def objective(units):
    return Objective(units, CrossEntropy(), {"tokens": float(sum(s.channels["loss_mask"].sum() for (s,) in units))})


def nothing(_): ...


async def trained(folder, place, disturb, in_write=nothing, **changes):
    """Losses of six steps, submitted two at a time, with a checkpoint after the second; and what is left of it."""
    chosen = {"ranks": 2, "zero_stage": 1, "health_deadline_s": 6.0, **changes}
    learner = SurvivingLearner(settings(**chosen), place.name, place / "journal")
    losses, snapshots = [], Snapshots(learner, place)
    try:
        await learner.start()
        await learner.load(folder, OPTIMISER, 0)
        for step in range(0, STEPS, 2):
            pair = [
                asyncio.create_task(learner.train_step([objective(units)], 1e-3 * (step + 1)))
                for units in batches(STEPS)[step : step + 2]
            ]
            await asyncio.sleep(0)
            disturb(step, learner)
            losses += [(await task)["loss"] for task in pair]
            if step == 0:
                await snapshots.take(2)
                in_write(learner)
                if in_write is nothing:  # the journal's end does not depend on when the write ends
                    await snapshots.written()
        await snapshots.finish()
        await learner.save(place / "model")
        files = sorted(file.name for file in (place / "journal").iterdir())
        return losses, weights(place / "model"), learner.restarts, files
    finally:
        learner.close()


def kill_and_stop(step, learner):
    """A rank dies before the first checkpoint, and one hangs after it."""
    numbers = {0: signal.SIGKILL, 4: signal.SIGSTOP}
    if step in numbers:
        os.kill(learner.group._processes[1].pid, numbers[step])


@pytest.mark.slow
def test_steps_since_the_checkpoint_are_made_again_and_nothing_shows(ray_cluster, folder, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = asyncio.run(trained(folder, tmp_path / "a", lambda *_: None))
    hurt = asyncio.run(trained(folder, tmp_path / "b", kill_and_stop))
    assert whole[0] == hurt[0] and len(whole[0]) == STEPS
    np.testing.assert_array_equal(whole[1], hurt[1])
    assert (whole[2], hurt[2]) == (0, 2)
    assert len(whole[3]) == len(hurt[3]) == 4  # the two before the checkpoint are no longer needed
    assert not (tmp_path / "b" / "journal").exists()


@pytest.mark.slow
def test_ranks_lost_while_a_checkpoint_is_written_take_its_copy_again(ray_cluster, folder, tmp_path):
    """The copy is gone with the ranks; the journal comes by the same state on its way to the newest."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = asyncio.run(trained(folder, tmp_path / "a", lambda *_: None))

    def kill(learner):
        os.kill(learner.group._processes[1].pid, signal.SIGKILL)

    hurt = asyncio.run(trained(folder, tmp_path / "b", lambda *_: None, kill))
    assert whole[0] == hurt[0]
    assert hurt[2] == 1
    assert latest_step(tmp_path / "b") == 2
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def contents(place):
    """Files of the checkpoint after step 2: names, and the numbers in them."""
    import torch

    found = {}
    for file in sorted((place / "step_00000002").glob("*.pt")):
        tensors = []
        numbers(torch.load(file, weights_only=False), tensors)
        found[file.name] = tensors
    return found


def numbers(state, found):
    if hasattr(state, "tolist"):
        found.append(state.tolist())
    elif isinstance(state, (dict, list, tuple)):
        for value in state.values() if isinstance(state, dict) else state:
            numbers(value, found)


@pytest.mark.slow
def test_more_losses_than_the_recipe_allows_end_with_one_sentence(ray_cluster, folder, tmp_path):
    with pytest.raises(LearnerLost, match=r"lost 1 times in this run \(learner.max_restarts is 0\)"):
        asyncio.run(trained(folder, tmp_path, kill_and_stop, max_restarts=0))
