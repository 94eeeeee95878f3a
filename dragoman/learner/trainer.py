"""What the stages and the RL controller need of a learner. `LearnerGroup` is one; tests bring others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dragoman.learner.clock import WeightClock
from dragoman.learner.losses import Loss
from dragoman.learner.objective import Objective
from dragoman.learner.packing import Unit

if TYPE_CHECKING:
    from dragoman.learner.weight_channel import Bucket


TEACHER = "teacher"
"""The frozen model that the statistic `divergence` is from"""


MEETING = ("gloo", "nccl")
"""Transports on which all members call at the same time; with the others engines fetch what the learner put down"""


@dataclass(frozen=True)
class Channel:
    """A weight channel: where its rank 0 listens, how many members it has, how long one may keep the others waiting."""

    host: str
    port: int
    world: int
    deadline_s: float = 120.0
    transport: str = "gloo"
    """Of `dragoman.learner.transports`"""


@dataclass(frozen=True)
class Sent:
    """A bucket that was sent, or left somewhere to be fetched."""

    checksum: int
    place: Any = None
    """Where engines find it, if they have to fetch it"""


class WeightSource(Protocol):
    """Where rollout engines get new weights from."""

    clock: WeightClock
    """Tells whether the weights have changed, and holds them still"""
    generation: int
    """Rises when its processes were started again: a channel that they had is gone"""

    async def address(self) -> tuple[str, int]:
        """Where a channel can listen: a node, and a free port on it."""

    async def open_channel(self, channel: Channel) -> None:
        """Open its end of a channel in place of the one before."""

    async def close_channel(self) -> None:
        """Let go of everybody who waits for it on the channel."""

    async def buckets(self, limit_bytes: int) -> list[Bucket]:
        """How the weights are grouped for the way."""

    async def send_bucket(self, bucket: Bucket) -> Sent:
        """Send one bucket, or leave it where the engines can fetch it."""


class Trainer(WeightSource, Protocol):
    """A model under an optimiser."""

    async def train_step(self, objectives: Sequence[Objective], learning_rate: float) -> dict[str, float]:
        """One optimiser step on the weighted sum of the objectives; returns the metrics of all."""

    async def load_frozen(self, name: str, folder: Path) -> None:
        """Hold one more model under a name, never trained: a reference, a teacher."""

    async def refresh_frozen(self, name: str) -> None:
        """Let a frozen model be the policy as it is now; resumable states then hold it."""

    async def logprobs(
        self, units: Sequence[Unit], temperature: float = 1.0, frozen: str | None = None
    ) -> list[np.ndarray]:
        """Log-probabilities of each sequence's tokens, in order, under the policy or a frozen model."""

    async def values(self, units: Sequence[Unit]) -> list[np.ndarray]:
        """What the value head says before each token of each sequence, in order; only with a value head."""

    async def evaluate_loss(self, units: Sequence[Unit], loss: Loss, counts: Mapping[str, float]) -> dict[str, float]:
        """A loss and its metrics over units, without training."""

    async def save(self, folder: Path) -> None:
        """Write the model as a Hugging Face folder, atomically."""

    async def copy_checkpoint(self, folder: Path, tag: str) -> None:
        """Copy a resumable state to host memory, to be written under `folder/tag`; the weights may change afterwards.

        `dragoman.learner.checkpoints.Snapshots` makes the folder and calls this and `write_checkpoint` in turn.
        """

    async def write_checkpoint(self) -> None:
        """Write the copy that `copy_checkpoint` made, and let go of it; other calls go on meanwhile."""

    async def load_checkpoint(self, folder: Path, tag: str) -> None:
        """Back to a state that `write_checkpoint` wrote."""
