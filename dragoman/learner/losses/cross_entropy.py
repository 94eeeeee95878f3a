"""Next-token prediction: pretraining, fine-tuning, and what stands beside another loss (PTX)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dragoman.learner.losses.base import Batch, Counts, LossOutput

if TYPE_CHECKING:
    from dragoman.learner.forward import TokenStatistics


@dataclass(frozen=True)
class CrossEntropy:
    """-sum(mask * log p) / counts["tokens"]."""

    statistics: ClassVar[tuple[str, ...]] = ("logprobs",)

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        loss = -(stats.logprobs * batch["loss_mask"]).sum() / counts["tokens"]
        return LossOutput(loss, {"loss": loss.detach()})
