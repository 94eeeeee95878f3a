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
    pass over the logits each and are then left out. Without it all are computed. An attribute `entropy_gradient` that
    is true makes the entropy differentiable, too.
    """

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        """The share of one micro-batch."""


def per_document(values: Tensor, batch: Batch) -> Tensor:
    """Sums of [R, L] values over each document, [S] in document order (padding left out)."""
    owners = batch["sequence_ids"].reshape(-1)
    count = int(owners.max()) + 1
    totals = values.new_zeros(count + 1)
    return totals.index_add(0, owners.where(owners >= 0, count), values.reshape(-1))[:count]


def over_documents(totals: Tensor, batch: Batch) -> Tensor:
    """The value [S] of its document at every place of [R, L]; 0 where padded."""
    owners = batch["sequence_ids"]
    from torch.nn.functional import pad

    return pad(totals, (0, 1))[owners]  # -1, the owner of padding, is the last


@dataclass(frozen=True)
class TokenMean:
    """A mean over the optimiser batch: this micro-batch's share of it."""

    weights: Tensor
    """Of each token, [R, L]; 0 outside the loss"""
    denominator: float

    def __call__(self, values: Tensor) -> Tensor:
        """Of values [R, L]."""
        return (values * self.weights).sum() / self.denominator


def document_means(values: Tensor, mask: Tensor, batch: Batch) -> Tensor:
    """The mean over the masked tokens of its document at every place, [R, L]; 0 where it has none."""
    means = per_document(values * mask, batch) / per_document(mask, batch).clamp_min(1)
    return over_documents(means, batch)
