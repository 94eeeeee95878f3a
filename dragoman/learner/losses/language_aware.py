"""Language-aware tuning: unlikelihood (Welleck et al., arXiv 1908.04319) of an answer under a wrong translation
direction, as in arXiv 2403.14399."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dragoman.learner.losses.base import Batch, Counts, LossOutput

if TYPE_CHECKING:
    from dragoman.learner.forward import TokenStatistics


@dataclass(frozen=True)
class LanguageAware:
    """Cross-entropy under the right instruction + alpha * unlikelihood of the same answer under a wrong one.

    Channel `unlikelihood` is 1 on the answer tokens under the wrong direction. The unlikelihood term is
    -log(1 - p), with 1 - p kept above 1e-9. counts: `tokens`, `unlikelihood_tokens`.
    """

    statistics: ClassVar[tuple[str, ...]] = ("logprobs",)

    alpha: float

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        wrong = batch["unlikelihood"]
        right = batch["loss_mask"] * (1 - wrong)
        likelihood = -(stats.logprobs * right).sum() / counts["tokens"]
        complement = (-stats.logprobs.expm1()).clamp_min(1e-9)
        unlikelihood = -(complement.log() * wrong).sum() / max(1.0, counts["unlikelihood_tokens"])
        loss = likelihood + self.alpha * unlikelihood
        return LossOutput(
            loss,
            {"loss": loss.detach(), "likelihood": likelihood.detach(), "unlikelihood": unlikelihood.detach()},
        )
