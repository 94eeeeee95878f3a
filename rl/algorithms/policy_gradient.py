"""What the policy-gradient algorithms share: which answers are trained on, and a loss put together from the recipe.

    reward (less what overlong answers lose) -> credit (the subclass) -> KL off the rewards, if it is there -> loss

The loss, its mean and the overlong buffer are class attributes of an algorithm, and keys of the recipe override them:
credit, loss, correction and KL combine freely, and `check` refuses what makes no sense together.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from dragoman.learner import Objective, TokenSequence
from dragoman.learner.encoding import loss_tokens
from dragoman.learner.losses import PolicyGradient, PolicyLoss, ValueLoss
from dragoman.learner.losses.kl import estimate
from rl.algorithms.base import Algorithm, AnswerUnit
from rl.algorithms.combination import contradictions, sentence
from rl.algorithms.returns import overlong_penalty, rewards_to_go
from rl.groups import Sample, ScoredGroup
from rl.loss_settings import MeanKind, PolicyLossKind

REFERENCE = "reference"


class PolicyGradientAlgorithm(Algorithm):
    """A subclass says what credit the answers get."""

    loss: ClassVar[PolicyLossKind] = "clipped"
    """Where the recipe names none"""
    mean: ClassVar[MeanKind | None] = None
    """Where the recipe names none; None = the loss's own"""
    overlong_share: ClassVar[float] = 0.0
    """Of `rl.max_tokens`: the overlong buffer where the recipe names none"""
    group_baseline: ClassVar[bool] = True
    """Whether an answer is compared with the others of its group: one answer, or equal ones, teach nothing then"""
    token_credit: ClassVar[bool] = False
    """Whether the tokens of an answer get different credit"""
    credited: ClassVar[str] = "credit of its own"
    """In words, for people"""

    def check(self) -> None:
        for said in contradictions(self):
            raise ValueError(said)

    def described(self) -> str:
        return sentence(self)

    def teaches(self, group: ScoredGroup) -> bool:
        """An answer of known reward to train on; with a group's baseline two, not all equal under filtering."""
        if not any(map(self.carries_loss, group.samples)):
            return False
        if not self.group_baseline:
            return True
        return len(group.rewards) > 1 and (not self.settings.filter_equal_rewards or self.differs(group))

    def differs(self, group: ScoredGroup) -> bool:
        """Whether the rewards of a group are far enough apart to prefer one answer to another."""
        return max(group.rewards) - min(group.rewards) > self.settings.minimum_spread

    def carries_loss(self, sample: Sample) -> bool:
        """An answer of known reward that is not empty, and not cut off if that masks."""
        done = sample.completion
        cut_off = self.masks_truncated and done.finish_reason == "length"
        return sample.reward is not None and bool(done.token_ids) and not cut_off

    @property
    def masks_truncated(self) -> bool:
        """Whether cut-off answers stay out of the loss; empty = unless being overlong costs them reward."""
        chosen = self.settings.mask_truncated
        return not self.overlong_buffer if chosen is None else chosen

    @property
    def overlong_buffer(self) -> int:
        """In tokens; 0 = none."""
        chosen = self.settings.overlong.buffer
        return int(self.overlong_share * self.settings.max_tokens) if chosen is None else chosen

    def overlong(self, sample: Sample) -> float:
        """What an answer loses for its length, 0 or less."""
        length = len(sample.completion.token_ids)
        return self.settings.overlong.penalty * overlong_penalty(length, self.settings.max_tokens, self.overlong_buffer)

    def rewards(self, group: ScoredGroup) -> list[float]:
        """The known rewards of a group, less what overlong answers lose."""
        return [(sample.reward or 0.0) + self.overlong(sample) for sample in group.known]

    def penalties(self, sequence: TokenSequence) -> np.ndarray:
        """What KL takes off the reward of each token, float64 [T], 0 or less in expectation.

        Of the policy as it was before the batch's first step, by the learner: it is that policy which shall stay near
        the reference, and both log-probs are then rounded alike (an engine's in bfloat16 are not).
        """
        kl, channels = self.settings.kl, sequence.channels
        if not kl.in_reward:
            return np.zeros(len(sequence.token_ids))
        found = estimate(
            kl.chosen_estimator(),
            channels["proximal_logprobs"].astype(np.float64),
            channels["reference_logprobs"].astype(np.float64),
        )
        return -kl.coefficient * found * channels["loss_mask"]

    def shape(self, units: Sequence[AnswerUnit]) -> list[AnswerUnit]:
        """Off each token's advantage goes what KL takes off the rewards from it on."""
        if not self.settings.kl.in_reward:
            return list(units)
        return [(self._less_kl(sequence),) for (sequence,) in units]

    def _less_kl(self, sequence: TokenSequence) -> TokenSequence:
        mask = sequence.channels["loss_mask"]
        less = sequence.channels["advantages"] + rewards_to_go(self.penalties(sequence)) * mask
        return sequence.with_channels({"advantages": less.astype(np.float32)})

    def surrogate(self) -> PolicyLoss:
        """The policy loss of the recipe, else the algorithm's own."""
        return self.settings.policy_loss.surrogate(self.loss)

    @property
    def chosen_mean(self) -> MeanKind:
        """The mean of the recipe, else the algorithm's, else the loss's."""
        usual: MeanKind = self.mean or self.surrogate().usual_mean
        return self.settings.policy_loss.mean or usual

    @property
    def token_level(self) -> bool:
        """Whether credit of single tokens reaches the loss."""
        return self.surrogate().token_level

    def value_loss(self) -> ValueLoss | None:
        """Of a value head, if there is one."""
        return None

    def objective(self, units: Sequence[AnswerUnit], groups: int) -> Objective:
        """The policy loss with its correction and penalties."""
        s = self.settings
        loss = PolicyGradient(
            self.surrogate(),
            "answers" if self.chosen_mean == "answers" else "tokens",
            s.correction.weighting(),
            s.kl.penalty(),
            s.policy_loss.entropy_coefficient,
            self.value_loss(),
            s.distillation.coefficient if s.distillation.teacher and s.distillation.form == "exact" else 0.0,
        )
        return Objective(units, loss, self.counts(units, groups), temperature=s.temperature)

    def counts(self, units: Sequence[AnswerUnit], groups: int) -> dict[str, float]:
        """Denominators of the loss: answers and their tokens, or for these a constant."""
        tokens = max(1.0, sum(loss_tokens(sequence) for (sequence,) in units))
        most = float(groups * self.settings.samples * self.settings.max_tokens)
        return {
            "tokens": most if self.chosen_mean == "constant" else tokens,
            "answer_tokens": tokens,
            "answers": float(max(1, len(units))),
        }

    def frozen_models(self, parent: Path) -> dict[str, Path]:
        """The parent, where a KL penalty holds the policy near it."""
        return {REFERENCE: parent} if self.settings.kl.coefficient else {}

    def refreshed_models(self, step: int) -> Sequence[str]:
        """The reference, every so many steps."""
        kl = self.settings.kl
        due = kl.coefficient and kl.refresh_every and step and step % kl.refresh_every == 0
        return (REFERENCE,) if due else ()

    def logprob_channels(self) -> Mapping[str, str | None]:
        """The proximal policy where later steps of a batch or the rewards need it, and the reference."""
        s = self.settings
        channels: dict[str, str | None] = {}
        if (s.mini_batches > 1 and s.correction.kind != "none") or s.kl.in_reward:
            channels["proximal_logprobs"] = None
        if s.kl.coefficient:
            channels["reference_logprobs"] = REFERENCE
        return channels
