"""Clipped policy gradient with a token-level mean and clip-higher (DAPO, arXiv 2503.14476), truncated or masked
importance weights against the behaviour policy with a decoupled proximal policy (AReaL, arXiv 2505.24298), and the k3
estimator of KL (joschu.net/blog/kl-approx.html)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from dragoman.learner.losses.base import Batch, Counts, LossOutput

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics

Correction = Literal["none", "truncate", "mask"]


@dataclass(frozen=True)
class PolicyGradient:
    """Ratio pi / pi_prox times the channel `advantages`, clipped to [1 - clip_low, 1 + clip_high].

    pi_prox is the channel `proximal_logprobs` if given, else pi itself (detached) under a correction, else the
    behaviour policy. The correction weight is pi_prox / pi_behaviour, truncated at `importance_cap` or masked outside
    [1/cap, cap]. counts: `tokens` (or any constant, as in Dr. GRPO), `answer_tokens` for the metrics.
    """

    statistics: ClassVar[tuple[str, ...]] = ("logprobs", "entropy")

    clip_low: float
    clip_high: float
    importance_correction: Correction = "none"
    importance_cap: float = 2.0
    kl_coefficient: float = 0.0
    """Weight of KL(pi || channel `reference_logprobs`)"""

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        """See the class."""
        mask, advantages, behaviour = batch["loss_mask"], batch["advantages"], batch["behaviour_logprobs"]
        proximal = batch.get("proximal_logprobs")
        if proximal is None:
            proximal = behaviour if self.importance_correction == "none" else stats.logprobs.detach()
        ratio = ((stats.logprobs - proximal) * mask).exp()
        clipped = ratio.clamp(1 - self.clip_low, 1 + self.clip_high)
        objective = (ratio * advantages).minimum(clipped * advantages)
        weight = self._importance((proximal - behaviour).detach() * mask)
        loss = -(objective * weight * mask).sum() / counts["tokens"]
        tokens = counts.get("answer_tokens", counts["tokens"])
        difference = (stats.logprobs.detach() - behaviour) * mask
        sums = {
            "entropy": (stats.entropy * mask).sum() / tokens,
            "clip_fraction": (((clipped != ratio) & (objective < ratio * advantages)) * mask).sum() / tokens,
            "kl_behaviour": ((difference.exp() - 1 - difference) * mask).sum() / tokens,
            "logprob_mean_abs_diff": difference.abs().sum() / tokens,
            "importance_weight": (weight * mask).sum() / tokens,
            "importance_weight_squared": (weight.square() * mask).sum() / tokens,
        }
        if self.kl_coefficient:
            to_reference = (batch["reference_logprobs"] - stats.logprobs) * mask
            kl = ((to_reference.exp() - 1 - to_reference) * mask).sum() / counts["tokens"]
            loss = loss + self.kl_coefficient * kl
            sums["kl_reference"] = kl.detach()
        return LossOutput(loss, {"loss": loss.detach(), **sums}, {"logprob_max_abs_diff": difference.abs().max()})

    def _importance(self, log_ratio: Tensor) -> Tensor:
        if self.importance_correction == "none":
            return log_ratio.new_ones(log_ratio.shape)
        ratio, cap = log_ratio.exp(), self.importance_cap
        if self.importance_correction == "truncate":
            return ratio.clamp_max(cap)
        return ratio * ((ratio <= cap) & (ratio >= 1 / cap))
