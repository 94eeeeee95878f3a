"""What a loss is: token statistics, channels and denominators in, one scalar and metrics out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics

Counts = Mapping[str, float]
"""Denominators over the whole optimiser batch"""
Batch = Mapping[str, "Tensor"]
"""`sequence_ids`, `position_ids` and every channel, [R, L] each"""


@dataclass(frozen=True)
class LossOutput:
    """What a micro-batch adds to the batch's loss and metrics."""

    loss: Tensor
    sums: dict[str, Tensor] = field(default_factory=dict)
    """Already divided by counts; add them up."""
    maxima: dict[str, Tensor] = field(default_factory=dict)
    """Take the largest."""


class Loss(Protocol):
    """A loss with its settings; crosses actors, so it must be picklable.

    An attribute `statistics` may name the fields of `TokenStatistics` that it reads ("logprobs", …): the others cost a
    pass over the logits each and are then left out. Without it all are computed.
    """

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        """The share of one micro-batch."""


def per_document(values: Tensor, batch: Batch) -> Tensor:
    """Sums of [R, L] values over each document, [S] in document order (padding left out)."""
    owners = batch["sequence_ids"].reshape(-1)
    count = int(owners.max()) + 1
    totals = values.new_zeros(count + 1)
    return totals.index_add(0, owners.where(owners >= 0, count), values.reshape(-1))[:count]
