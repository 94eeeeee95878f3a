"""The training loop of every stage but reinforcement learning.

A stage is a `BatchSource`: a pure function from the step to what is trained on. The loop gives each batch to
the learner, one step ahead so that no rank waits for its next one, logs, and writes a checkpoint every so
many steps. Run again after a kill it goes back to the last checkpoint, forgets what was logged after it, and
reads on at that step. As batches depend on the step alone and checkpoints hold the optimiser, the resumed run
ends with the same weights.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cluster.metrics import MetricsSink
from cluster.progress import Progress
from dragoman.learner import LearnerGroup, Objective
from dragoman.learner.checkpoints import latest_step, publish, tag_of, work_tag
from dragoman.learner.schedule import learning_rate


class BatchSource(Protocol):
    """Batches as a function of the step."""

    def batch(self, step: int) -> Sequence[Objective]:
        """The batch of step `step` (0-based); the same for the same step, always."""


async def train(
    learner: LearnerGroup,
    source: BatchSource,
    *,
    stage: str,
    optimiser: Mapping[str, Any],
    checkpoints: Path,
    sink: MetricsSink,
) -> None:
    """Run (or finish) `optimiser["steps"]` steps on the model the learner holds."""
    steps = int(optimiser["steps"])
    start = latest_step(checkpoints) or 0
    if start:
        await learner.load_checkpoint(checkpoints, tag_of(start))
        print(f"{stage}: going on after step {start} of {steps}", flush=True)
    sink.rewind(stage, start)
    progress = Progress(stage, steps, start)
    ahead: Submitted | None = None
    ended = time.monotonic()
    try:
        for step in range(start, steps):
            current = ahead or await _submit(learner, source.batch(step), rate_at(step, optimiser))
            pause = (step + 1) % int(optimiser["checkpoint_every"]) == 0 or step + 1 == steps
            # the ranks find their next batch waiting for them, unless they must stand still for a checkpoint
            ahead = None if pause else await _submit(learner, source.batch(step + 1), rate_at(step + 1, optimiser))
            metrics = await current.result
            began, ended = ended, time.monotonic()
            metrics["tokens_per_s"] = current.tokens / (ended - began)
            sink.log(stage, step, metrics)
            progress.update(step + 1, {"loss": metrics["loss"], "tokens/s": metrics["tokens_per_s"]})
            if pause:
                await learner.save_checkpoint(checkpoints, work_tag(step + 1))
                publish(checkpoints, step + 1)
                ended = time.monotonic()
    finally:
        if ahead is not None:  # an error ended the loop; the first one is raised, not that of the step behind it
            ahead.result.cancel()
    progress.close()


@dataclass(frozen=True)
class Submitted:
    """An optimiser step that the ranks have been given."""

    result: asyncio.Task[dict[str, float]]
    tokens: int


async def _submit(learner: LearnerGroup, batch: Sequence[Objective], rate: float) -> Submitted:
    """Give the ranks a step; they take steps in the order given. Returns once it is sent, not when it is done."""
    task = asyncio.create_task(learner.train_step(batch, rate))
    await asyncio.sleep(0)  # lets the task run as far as its first wait
    return Submitted(task, sum(objective.tokens for objective in batch))


def rate_at(step: int, optimiser: Mapping[str, Any]) -> float:
    """Learning rate of a recipe's stage section at `step`."""
    return learning_rate(
        step,
        steps=int(optimiser["steps"]),
        peak=float(optimiser["learning_rate"]),
        warmup_share=float(optimiser["warmup_share"]),
        final_share=float(optimiser["final_learning_rate_share"]),
        schedule=str(optimiser["schedule"]),
    )
