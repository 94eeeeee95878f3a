"""Losses on pairs: the chosen answer should be likelier than the rejected one.

Of each answer a score s: the sum of its log p (or the mean, `per_token`), less the reference's where there is one. With
d = s_chosen - s_rejected:

| loss | reference | score | term | paper |
|---|---|---|---|---|
| DPO | yes | sum | -log sigmoid(beta d) | arXiv 2305.18290 |
| WPO | yes | sum | the same, weighted by how likely the policy is to write the pair now | arXiv 2406.11827 |
| IPO | yes | mean | (d - 1 / (2 beta))^2 | arXiv 2310.12036 |
| CPO | no | sum | -log sigmoid(beta d), + cross-entropy of the chosen | arXiv 2401.08417 |
| SimPO | no | mean | -log sigmoid(beta d - margin) | arXiv 2405.14734 |
| ORPO | no | mean | -beta log sigmoid(log odds ratio), + cross-entropy of the chosen | arXiv 2403.07691 |

Label smoothing e takes the pair for the wrong way round with probability e: (1 - e) l(x) + e l(-x) for the terms that
have a sigmoid (conservative DPO).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dragoman.learner.losses.base import Batch, Counts, LossOutput, per_document

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics


@dataclass(frozen=True)
class Preference:
    """Documents 2k and 2k+1 of a micro-batch are the chosen and the rejected answer of pair k.

    counts: `pairs`, `chosen_tokens` (for the likelihood term). Defaults are DPO's.
    """

    beta: float
    term: Literal["logistic", "squared", "odds"] = "logistic"
    """DPO's, IPO's or ORPO's"""
    reference: bool = True
    """Scores are relative to the channel `reference_logprobs`"""
    per_token: bool = False
    weighted: bool = False
    """WPO's weight min(1, exp(mean_c + mean_r)) of log p - log sum_v p(v)^2, detached"""
    margin: float = 0.0
    """SimPO's: what beta d must exceed"""
    label_smoothing: float = 0.0
    likelihood_weight: float = 0.0
    """Weight of a cross-entropy on the chosen answers; 0 = none"""

    @property
    def statistics(self) -> tuple[str, ...]:
        return ("logprobs", "log_expected") if self.weighted else ("logprobs",)

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        mask = batch["loss_mask"]
        scores = self._scores(stats, batch)
        difference = scores[0::2] - scores[1::2]
        weight = _alignment_weight(stats, batch) if self.weighted else difference.new_ones(difference.shape)
        loss = (weight * self._term(difference, scores)).sum() / counts["pairs"]
        sums = {
            "accuracy": (difference.detach() > 0).float().sum() / counts["pairs"],
            "margin": self.beta * difference.detach().sum() / counts["pairs"],
            "weight": weight.sum() / counts["pairs"],
        }
        if self.likelihood_weight:
            chosen = (batch["sequence_ids"] % 2 == 0) & (batch["sequence_ids"] >= 0)
            nll = -(stats.logprobs * mask * chosen).sum() / counts["chosen_tokens"]
            loss = loss + self.likelihood_weight * nll
            sums["chosen_loss"] = nll.detach()
        return LossOutput(loss, {"loss": loss.detach(), **sums})

    def _scores(self, stats: TokenStatistics, batch: Batch) -> Tensor:
        """Of each document, [S]."""
        mask = batch["loss_mask"]
        logprobs = stats.logprobs - batch["reference_logprobs"] if self.reference else stats.logprobs
        total = per_document(mask * logprobs, batch)
        return total / per_document(mask, batch).clamp_min(1) if self.per_token else total

    def _term(self, difference: Tensor, scores: Tensor) -> Tensor:
        """Of each pair, [S / 2]."""
        from torch.nn.functional import logsigmoid

        if self.term == "squared":
            return (difference - 1 / (2 * self.beta)).square()
        smooth = self.label_smoothing
        if self.term == "logistic":
            x = self.beta * difference - self.margin
            return -(1 - smooth) * logsigmoid(x) - smooth * logsigmoid(-x)
        others = (-scores.expm1()).clamp_min(1e-9).log()  # log(1 - p): odds are p / (1 - p)
        x = difference - (others[0::2] - others[1::2])
        return -self.beta * ((1 - smooth) * logsigmoid(x) + smooth * logsigmoid(-x))


def _alignment_weight(stats: TokenStatistics, batch: Batch) -> Tensor:
    """WPO's weight of each pair, [S / 2]."""
    mask = batch["loss_mask"]
    alignment = per_document(mask * (stats.logprobs.detach() - stats.log_expected), batch)
    alignment = alignment / per_document(mask, batch).clamp_min(1)
    return (alignment[0::2] + alignment[1::2]).exp().clamp_max(1)
