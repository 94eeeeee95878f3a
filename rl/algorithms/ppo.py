"""PPO (arXiv 1707.06347) with a value head on the policy's body and generalised advantages (arXiv 1506.02438).

A token's reward is what it earned by itself (0 but for credit of single tokens), the answer's reward at the last one,
less KL if the recipe puts it into the reward. With V_t what the value head expects before token t, before the batch's
first step:

    A_t = GAE(rewards, V),  R_t = A_t + V_t,  then A standardised over the batch's tokens

An answer ends where it ends: behind its last token there is nothing to expect, cut off or not.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from dragoman.learner import TokenSequence, ValueHead
from dragoman.learner.losses import ValueLoss
from dragoman.settings import Settings
from rl.algorithms.base import AnswerUnit, Credit, register_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.algorithms.returns import generalised_advantages, whitened
from rl.groups import Sample, ScoredGroup


class PpoSettings(Settings):
    """Of PPO alone."""

    discount: float = Field(1.0, gt=0, le=1)
    gae_lambda: float = Field(0.95, ge=0, le=1)
    value_coefficient: float = Field(0.1, gt=0, le=100)
    """Of the value loss beside the policy's: both reach the body of the model."""
    value_clip: float | None = Field(0.2, gt=0, le=100)
    """How far values move within a batch; empty = as far as they like."""
    value_learning_rate_factor: float = Field(10.0, gt=0, le=10_000)
    """The value head's learning rate over the policy's: it starts from nothing."""
    whiten: bool = True
    """Standardise advantages over the batch."""


@register_algorithm("ppo")
class Ppo(PolicyGradientAlgorithm):
    """See the module note."""

    Settings = PpoSettings
    own: PpoSettings
    group_baseline = False
    token_credit = True
    credited = "generalised advantages of the reward at the last token over a value head"

    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        """The reward at the last token."""
        return [
            {s.index: _at_the_end(reward, s) for s, reward in zip(group.known, self.rewards(group), strict=True)}
            for group in groups
        ]

    def shape(self, units: Sequence[AnswerUnit]) -> list[AnswerUnit]:
        """From rewards of tokens to advantages and returns."""
        found: list[AnswerUnit] = [(self._with_returns(sequence),) for (sequence,) in units]
        return whitened(found) if self.own.whiten else found

    def _with_returns(self, sequence: TokenSequence) -> TokenSequence:
        answer = sequence.channels["loss_mask"] != 0
        values = sequence.channels["values"][answer].astype(np.float64)
        rewards = (sequence.channels["advantages"] + self.penalties(sequence))[answer]
        found = generalised_advantages(rewards, values, self.own.discount, self.own.gae_lambda)
        advantages, returns = np.zeros((2, len(answer)), np.float32)
        advantages[answer], returns[answer] = found, found + values
        return sequence.with_channels({"advantages": advantages, "returns": returns})

    def value_head(self) -> ValueHead:
        return ValueHead(self.own.value_learning_rate_factor)

    def value_loss(self) -> ValueLoss:
        return ValueLoss(self.own.value_coefficient, self.own.value_clip)


def _at_the_end(reward: float, sample: Sample) -> Credit:
    tokens = np.zeros(len(sample.completion.token_ids))
    tokens[-1:] = reward
    return Credit(0.0, tokens)
