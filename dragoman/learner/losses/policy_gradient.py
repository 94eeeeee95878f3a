"""The loss of reinforcement learning, put together from a surrogate, a correction, a KL penalty and an entropy bonus.

    - mean of (w_t surrogate_t - kappa KL_t - c D_t) - eta mean of H_t + value loss

w are the correction's weights (`corrections`), surrogates are in `surrogates`, KL from the reference in `kl`, D is the
divergence from a teacher over the whole vocabulary. The proximal policy is
decoupled from the one that sampled (AReaL, arXiv 2505.24298). Everything is a sum over tokens divided by counts of the
whole optimiser batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dragoman.learner.losses.base import Batch, Counts, LossOutput, TokenMean, over_documents, per_document
from dragoman.learner.losses.corrections import Correction
from dragoman.learner.losses.kl import KlPenalty, estimate
from dragoman.learner.losses.surrogates import Clipped, Mean, PolicyLoss, PolicyTokens
from dragoman.learner.losses.values import ValueLoss

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics


@dataclass(frozen=True)
class PolicyGradient:
    """A surrogate of the channel `advantages`, its correction and its penalties.

    pi_prox is the behaviour policy (channel `behaviour_logprobs`) without a correction, else the channel
    `proximal_logprobs`, or pi itself (detached) where that is not given. counts: `tokens` (or any constant, as in
    Dr. GRPO), with `mean="answers"` also `answers`; `answer_tokens` for metrics and the entropy bonus.
    """

    surrogate: PolicyLoss = field(default_factory=Clipped)
    mean: Mean = "tokens"
    """`answers`: the mean over answers of the means over their tokens"""
    correction: Correction = field(default_factory=Correction)
    kl: KlPenalty | None = None
    entropy_coefficient: float = 0.0
    """Of a bonus: the mean entropy of the answers' tokens"""
    value: ValueLoss | None = None
    teacher_coefficient: float = 0.0
    """Of the divergence from the teacher, where the channel `taught` is 1"""

    @property
    def statistics(self) -> tuple[str, ...]:
        further = (("values", self.value is not None), ("divergence", self.teacher_coefficient > 0))
        return ("logprobs", "entropy", *(name for name, needed in further if needed))

    @property
    def entropy_gradient(self) -> bool:
        return self.entropy_coefficient > 0

    def __call__(self, stats: TokenStatistics, batch: Batch, counts: Counts) -> LossOutput:
        mask, behaviour = batch["loss_mask"], batch["behaviour_logprobs"]
        proximal = self._proximal(stats, batch)
        log_ratio = (stats.logprobs - proximal) * mask
        found = self.surrogate(PolicyTokens(stats.logprobs, log_ratio, batch["advantages"], mask, batch))
        weight = self.correction.weights((proximal - behaviour).detach() * mask, mask, batch)
        mean = self._mean(mask, batch, counts)
        per_token = TokenMean(mask, counts.get("answer_tokens", counts["tokens"]))
        loss = -mean(found.objective * weight)
        difference = (stats.logprobs.detach() - behaviour) * mask
        sums = {
            "entropy": per_token(stats.entropy.detach()),
            "clip_fraction": per_token(found.clipped),
            "kl_behaviour": per_token(difference.exp() - 1 - difference),
            "logprob_mean_abs_diff": per_token(difference.abs()),
            "importance_weight": per_token(weight),
            "importance_weight_squared": per_token(weight.square()),
        }
        if self.kl is not None:
            kl = estimate(self.kl.estimator, stats.logprobs * mask, batch["reference_logprobs"] * mask)
            penalty = mean(kl * log_ratio.exp() * weight if self.kl.weighted else kl)
            sums["kl_reference"] = penalty.detach()
            if self.kl.coefficient:
                loss = loss + self.kl.coefficient * penalty
        if self.entropy_coefficient:
            loss = loss - self.entropy_coefficient * per_token(stats.entropy)
        if self.teacher_coefficient:
            loss = loss + self.teacher_coefficient * mean(stats.divergence * batch["taught"])
            sums["reverse_kl"] = per_token(stats.divergence.detach())
        if self.value is not None:
            value_loss, value_sums = self.value(stats, batch, mean)
            loss, sums = loss + value_loss, sums | value_sums
        return LossOutput(loss, {"loss": loss.detach(), **sums}, {"logprob_max_abs_diff": difference.abs().max()})

    def _proximal(self, stats: TokenStatistics, batch: Batch) -> Tensor:
        if self.correction.kind == "none":
            return batch["behaviour_logprobs"]
        proximal = batch.get("proximal_logprobs")
        return stats.logprobs.detach() if proximal is None else proximal

    def _mean(self, mask: Tensor, batch: Batch, counts: Counts) -> TokenMean:
        if self.mean == "tokens":
            return TokenMean(mask, counts["tokens"])
        lengths = over_documents(per_document(mask, batch), batch).clamp_min(1)
        return TokenMean(mask / lengths, counts["answers"])
