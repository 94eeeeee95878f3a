"""The training loop around a learner that only writes down what it is told (the real one: tests/e2e)."""

import asyncio

import numpy as np
import pytest

from cluster.metrics import MetricsSink
from dragoman.learner import Objective, OptimiserSettings, TokenSequence
from dragoman.learner.losses import CrossEntropy
from pretrain_sft.loop import train

OPTIMISER = OptimiserSettings(steps=7, checkpoint_every=3)


class Source:
    def batch(self, step):
        tokens = np.full(4, step, np.int32)
        return [Objective([(TokenSequence(tokens, {"loss_mask": np.ones(4, np.float32)}),)], CrossEntropy(), {})]


class Learner:
    """Takes steps one after the other, as an actor's queue does."""

    def __init__(self, fails_at=None):
        self.calls, self.fails_at, self.turn = [], fails_at, asyncio.Lock()

    async def train_step(self, objectives, learning_rate):
        step = int(objectives[0].units[0][0].token_ids[0])
        self.calls.append(("given", step))
        async with self.turn:
            await asyncio.sleep(0.01)
            if step == self.fails_at:
                raise RuntimeError(f"step {step} broke")
            self.calls.append(("done", step))
            return {"loss": float(step)}

    async def copy_checkpoint(self, folder, tag):
        self.calls.append(("saved", tag))

    async def write_checkpoint(self): ...


def run(learner, tmp_path):
    sink = MetricsSink(tmp_path, "test")
    work = train(learner, Source(), stage="sft", optimiser=OPTIMISER, checkpoints=tmp_path / "checkpoints", sink=sink)
    try:
        asyncio.run(work)
    finally:
        sink.close()


def test_the_next_step_waits_at_the_ranks_but_never_runs_before_a_checkpoint(ray_cluster, tmp_path):
    learner = Learner()
    run(learner, tmp_path)
    order = [call for call in learner.calls if call[0] != "saved"]
    assert [step for what, step in order if what == "done"] == list(range(7))
    for step in (1, 2, 4, 5):  # given while the step before was running
        assert order.index(("given", step)) < order.index(("done", step - 1))
    for step in (3, 6):  # a checkpoint lies before these
        assert order.index(("given", step)) > order.index(("done", step - 1))
    saves = [index for index, call in enumerate(learner.calls) if call[0] == "saved"]
    assert [learner.calls[index - 1] for index in saves] == [("done", 2), ("done", 5), ("done", 6)]


def test_the_error_of_a_step_ends_the_loop_and_nothing_later_is_logged(ray_cluster, tmp_path):
    with pytest.raises(RuntimeError, match="step 4 broke"):
        run(Learner(fails_at=4), tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 4
