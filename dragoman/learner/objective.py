"""What one optimiser step minimises: a weighted sum of objectives, each with its own sequences and loss.

Most stages have one. A second one keeps what the model knew while the first teaches something else: cross-entropy on
data of earlier stages beside a preference or policy loss (PTX in InstructGPT, arXiv 2203.02155).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dragoman.learner.losses import Loss
from dragoman.learner.packing import MicroBatch, Unit


@dataclass(frozen=True)
class Objective:
    """A loss on some units; its gradient is multiplied by `weight`, its metrics are not."""

    units: Sequence[Unit]
    loss: Loss
    counts: Mapping[str, float]
    """Denominators of the loss, over all units"""
    temperature: float = 1.0
    """Logits are divided by it"""
    weight: float = 1.0
    name: str = ""
    """Prefix of its metrics, `name/loss`; empty = none"""

    @property
    def tokens(self) -> int:
        """All tokens that go through the model."""
        return sum(len(sequence.token_ids) for unit in self.units for sequence in unit)


@dataclass(frozen=True)
class ObjectiveShard:
    """One rank's micro-batches of an objective."""

    batches: Sequence[MicroBatch]
    loss: Loss
    counts: Mapping[str, float]
    temperature: float
    weight: float
    name: str

    def metric(self, name: str) -> str:
        """The name under which a metric of this objective is reported."""
        return f"{self.name}/{name}" if self.name else name


def shards(objective: Objective, batches: Sequence[Sequence[MicroBatch]]) -> list[ObjectiveShard]:
    """An objective dealt to the ranks; `batches`: its micro-batches, `[rank][step]`."""
    counts, o = dict(objective.counts), objective
    return [ObjectiveShard(rank, o.loss, counts, o.temperature, o.weight, o.name) for rank in batches]
