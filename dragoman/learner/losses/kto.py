"""KTO (arXiv 2402.01306, equation 7): a good answer is worth more, a bad one less, than the policy's drift so far.

Of each answer a score s = log p - log p_reference, summed over its tokens. The drift of a group is the mean score of
*mismatched* answers (a prompt with an answer to another one), not below 0, and carries no gradient:

    KL = max(0, mean of s over the mismatched)
    good: desirable (1 - sigmoid(beta (s - KL)))        bad: undesirable (1 - sigmoid(beta (KL - s)))

The published estimate takes the batch of one device; here the groups are named in the data, so that the loss does not
depend on how a batch was cut. A group is one unit and so lies in one micro-batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dragoman.learner.losses.base import Batch, Counts, LossOutput, per_document

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics

WIDTH = 4
"""Documents of a pair"""


@dataclass(frozen=True)
class Kto:
    """Documents 4k to 4k + 3 are the good and the bad answer of pair k, then its mismatched ones.

    Channels: `reference_logprobs`, `group` (a number at every token, the same within a group). counts: `pairs`.
    """

    beta: float
    desirable: float = 1.0
    """Weight of the good answers"""
    undesirable: float = 1.0
    reference: ClassVar[bool] = True
    statistics: ClassVar[tuple[str, ...]] = ("logprobs",)

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        mask = batch["loss_mask"]
        scores = per_document(mask * (stats.logprobs - batch["reference_logprobs"]), batch)
        good, bad = scores[0::WIDTH], scores[1::WIDTH]
        groups = (per_document(mask * batch["group"], batch) / per_document(mask, batch).clamp_min(1))[0::WIDTH]
        drift = _drift((scores[2::WIDTH] + scores[3::WIDTH]).detach() / 2, groups)
        won = self.desirable * (1 - (self.beta * (good - drift)).sigmoid())
        lost = self.undesirable * (1 - (self.beta * (drift - bad)).sigmoid())
        loss = (won + lost).sum() / (2 * counts["pairs"])
        difference = (good - bad).detach()
        return LossOutput(
            loss,
            {
                "loss": loss.detach(),
                "accuracy": (difference > 0).float().sum() / counts["pairs"],
                "margin": self.beta * difference.sum() / counts["pairs"],
                "kl": drift.sum() / counts["pairs"],
            },
        )


def _drift(scores: Tensor, groups: Tensor) -> Tensor:
    """The mean of its group for each pair, not below 0, [pairs]."""
    if not len(scores):  # a micro-batch of padding, which a rank has when others have more
        return scores
    _, owners = groups.round().unique(return_inverse=True)
    count = int(owners.max()) + 1
    sums = scores.new_zeros(count).index_add(0, owners, scores)
    sizes = scores.new_zeros(count).index_add(0, owners, scores.new_ones(scores.shape))
    return (sums / sizes).clamp_min(0)[owners]
