"""DPO (arXiv 2305.18290) and WPO (arXiv 2406.11827, with its sampled-alignment normaliser and its clamp at 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dragoman.learner.losses.base import Batch, Counts, LossOutput, per_document

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics


@dataclass(frozen=True)
class Preference:
    """Documents 2k and 2k+1 of a micro-batch are the chosen and the rejected answer of pair k.

    L = -w logsigmoid(beta [(pi_c - ref_c) - (pi_r - ref_r)]), pi and ref being sums of log p over the
    answer; w = min(1, exp(mean_c + mean_r)) of log p - log sum_v p(v)^2, detached (WPO), or 1 (DPO).
    counts: `pairs`, `chosen_tokens` (for the likelihood term).
    """

    beta: float
    weighted: bool
    """WPO instead of DPO"""
    likelihood_weight: float = 0.0
    """Weight of a cross-entropy on the chosen answers (as CPO and RPO add); 0 = none"""

    @property
    def statistics(self) -> tuple[str, ...]:
        return ("logprobs", "log_expected") if self.weighted else ("logprobs",)

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        from torch.nn.functional import logsigmoid

        mask = batch["loss_mask"]
        ratio = per_document(mask * (stats.logprobs - batch["reference_logprobs"]), batch)
        margin = self.beta * (ratio[0::2] - ratio[1::2])
        weight = _alignment_weight(stats, batch) if self.weighted else margin.new_ones(margin.shape)
        loss = -(weight * logsigmoid(margin)).sum() / counts["pairs"]
        sums = {
            "accuracy": (margin.detach() > 0).float().sum() / counts["pairs"],
            "margin": margin.detach().sum() / counts["pairs"],
            "weight": weight.sum() / counts["pairs"],
        }
        if self.likelihood_weight:
            chosen = (batch["sequence_ids"] % 2 == 0) & (batch["sequence_ids"] >= 0)
            nll = -(stats.logprobs * mask * chosen).sum() / counts["chosen_tokens"]
            loss = loss + self.likelihood_weight * nll
            sums["chosen_loss"] = nll.detach()
        return LossOutput(loss, {"loss": loss.detach(), **sums})


def _alignment_weight(stats: TokenStatistics, batch: Batch) -> Tensor:
    """WPO's weight of each pair, [S / 2]."""
    mask = batch["loss_mask"]
    alignment = per_document(mask * (stats.logprobs.detach() - stats.log_expected), batch)
    alignment = alignment / per_document(mask, batch).clamp_min(1)
    return (alignment[0::2] + alignment[1::2]).exp().clamp_max(1)
