"""Advantages of a group's rewards against each other.

`grpo`: (r - mean) / (std + 1e-6), arXiv 2402.03300, with the population standard deviation, which counts as at least
half of `rl.minimum_spread` (that of two rewards so far apart): rewards that are nearly equal get small advantages.
`dr_grpo`: r - mean, arXiv 2503.20783 (dividing by the deviation favours very easy and very hard prompts), summed over
a constant number of tokens.
`rloo`: r_i - mean of the others, arXiv 2402.14740.
"""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from rl.algorithms.base import AnswerUnit, Credit, register_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.groups import ScoredGroup


class GroupRelative(PolicyGradientAlgorithm):
    """One number for each answer, from the mixed rewards of its group."""

    @abstractmethod
    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """Of the known rewards of one group; float64 [n], n >= 2."""

    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        """See `Algorithm.credit`."""
        return [
            {s.index: Credit(float(a)) for s, a in zip(group.known, self.advantages(group.rewards), strict=True)}
            for group in groups
        ]


@register_algorithm("grpo")
class Grpo(GroupRelative):
    """Standardised within the group."""

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """See the module note."""
        values = np.asarray(rewards, np.float64)
        return (values - values.mean()) / (max(values.std(), self.settings.minimum_spread / 2) + 1e-6)


@register_algorithm("dr_grpo")
class DrGrpo(GroupRelative):
    """Centred within the group, over a constant."""

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """See the module note."""
        values = np.asarray(rewards, np.float64)
        return values - values.mean()

    def counts(self, units: Sequence[AnswerUnit], groups: int) -> dict[str, float]:
        """The most tokens that the groups could have."""
        constant = float(groups * self.settings.samples * self.settings.max_tokens)
        return {**super().counts(units, groups), "tokens": constant}


@register_algorithm("rloo")
class Rloo(GroupRelative):
    """Against the mean of the other answers."""

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """See the module note."""
        values = np.asarray(rewards, np.float64)
        return (values - values.mean()) * len(values) / (len(values) - 1)
