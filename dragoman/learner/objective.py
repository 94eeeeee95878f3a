"""What one optimiser step minimises: a weighted sum of objectives, each with its own sequences and loss.

Most stages have one. A second one keeps what the model knew while the first teaches something else: cross-entropy on
data of earlier stages beside a preference or policy loss (PTX in InstructGPT, arXiv 2203.02155).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dragoman.learner.packing import MicroBatch, Unit


@dataclass(frozen=True)
class Objective:
    """A loss on some units; its gradient is multiplied by `weight`, its metrics are not."""

    units: Sequence[Unit]
    loss: str
    """Name in `learner.losses.LOSSES`"""
    counts: Mapping[str, float]
    """Denominators of the loss, over all units"""
    settings: Mapping[str, Any] = field(default_factory=dict)
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
class Portion:
    """One rank's packed part of an objective."""

    batches: Sequence[MicroBatch]
    loss: str
    counts: Mapping[str, float]
    settings: Mapping[str, Any]
    temperature: float
    weight: float
    name: str

    def metric(self, name: str) -> str:
        """The name under which a metric of this objective is reported."""
        return f"{self.name}/{name}" if self.name else name


def portions(objective: Objective, batches: Sequence[Sequence[MicroBatch]]) -> list[Portion]:
    """An objective dealt to the ranks; `batches`: its micro-batches, `[rank][step]`."""
    return [
        Portion(
            part, objective.loss, dict(objective.counts), dict(objective.settings), objective.temperature,
            objective.weight, objective.name,
        )
        for part in batches
    ]  # fmt: skip
