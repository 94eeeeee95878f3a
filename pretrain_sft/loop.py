"""The training loop of every stage but reinforcement learning.

A stage is a `BatchSource`: a pure function from the step to what is trained on. The loop gives each batch to
the learner, one step ahead so that no rank waits for its next one, logs, and takes a checkpoint every so many
steps, which is written while the next ones train. Run again after a kill it goes back to the last checkpoint,
forgets what was logged after it, and reads on at that step. As batches depend on the step alone and checkpoints
hold the optimiser, the resumed run ends with the same weights.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cluster.metrics import MetricsSink
from cluster.progress import Progress
from dragoman.learner import Objective, OptimiserSettings, Trainer
from dragoman.learner.checkpoints import Snapshots
from dragoman.learner.schedule import learning_rate


class BatchSource(Protocol):
    """Batches as a function of the step."""

    def batch(self, step: int) -> Sequence[Objective]:
        """The batch of step `step` (0-based); the same for the same step, always."""


async def train(
    trainer: Trainer,
    source: BatchSource,
    *,
    stage: str,
    optimiser: OptimiserSettings,
    checkpoints: Path,
    sink: MetricsSink,
) -> None:
    """Run (or finish) `optimiser.steps` steps on the model the trainer holds."""
    steps = optimiser.steps
    snapshots = Snapshots(trainer, checkpoints)
    start = await snapshots.load() or 0
    if start:
        print(f"{stage}: going on after step {start} of {steps}", flush=True)
    sink.rewind(stage, start)
    progress = Progress(stage, steps, start)
    ahead: Submitted | None = None
    ended = time.monotonic()
    try:
        for step in range(start, steps):
            current = ahead or await _submit(trainer, source, optimiser, step)
            pause = (step + 1) % optimiser.checkpoint_every == 0 or step + 1 == steps
            # the ranks find their next batch waiting for them, unless they must stand still for a checkpoint
            ahead = None if pause else await _submit(trainer, source, optimiser, step + 1)
            metrics = await current.result
            began, ended = ended, time.monotonic()
            metrics["tokens_per_s"] = current.tokens / (ended - began)
            sink.log(stage, step, metrics)
            progress.update(step + 1, {"loss": metrics["loss"], "tokens/s": metrics["tokens_per_s"]})
            snapshots.check()
            if pause:
                await snapshots.take(step + 1)
                ended = time.monotonic()
        await snapshots.finish()
    except Exception:
        await snapshots.settle()
        raise
    finally:
        if ahead is not None:  # an error ended the loop; the first one is raised, not that of the step behind it
            ahead.result.cancel()
    progress.close()


@dataclass(frozen=True)
class Submitted:
    """An optimiser step that the ranks have been given."""

    result: asyncio.Task[dict[str, float]]
    tokens: int


async def _submit(trainer: Trainer, source: BatchSource, optimiser: OptimiserSettings, step: int) -> Submitted:
    """Give the ranks a step; they take steps in the order given. Returns once it is sent, not when it is done."""
    batch = source.batch(step)
    task = asyncio.create_task(trainer.train_step(batch, learning_rate(step, optimiser)))
    await asyncio.sleep(0)  # lets the task run as far as its first wait
    return Submitted(task, sum(objective.tokens for objective in batch))
