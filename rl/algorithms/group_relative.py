"""Advantages of a group's rewards against each other.

`grpo`: (r - mean) / (std + 1e-6), arXiv 2402.03300, with the population standard deviation, which counts as at least
half of `rl.minimum_spread` (that of two rewards so far apart): rewards that are nearly equal get small advantages.
`dapo`, `gspo`, `gspo_token`, `cispo`: the same credit under another loss, or, in DAPO, with soft overlong shaping (its
dynamic sampling, clip-higher and mean over tokens are what `grpo` does here, too).
`dr_grpo`: r - mean, arXiv 2503.20783 (dividing by the deviation favours very easy and very hard prompts), summed over
a constant number of tokens.
`rloo`: r_i - mean of the others, arXiv 2402.14740.
"""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from rl.algorithms.base import Credit, register_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.groups import ScoredGroup


class GroupRelative(PolicyGradientAlgorithm):
    """One number for each answer, from the mixed rewards of its group."""

    @abstractmethod
    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """Of the known rewards of one group; float64 [n], n >= 2."""

    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        return [
            {s.index: Credit(float(a)) for s, a in zip(group.known, self.advantages(self.rewards(group)), strict=True)}
            for group in groups
        ]


@register_algorithm("grpo")
class Grpo(GroupRelative):
    """Standardised within the group (arXiv 2402.03300)."""

    credited = "the reward, standardised within its group"

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """See the module note."""
        values = np.asarray(rewards, np.float64)
        return (values - values.mean()) / (max(values.std(), self.settings.minimum_spread / 2) + 1e-6)


@register_algorithm("dapo")
class Dapo(Grpo):
    """With a reward that falls where an answer comes near the token limit (arXiv 2503.14476)."""

    overlong_share = 0.2  # theirs: 4,096 of 20,480


@register_algorithm("gspo")
class Gspo(Grpo):
    """One ratio an answer, mean over answers (arXiv 2507.18071)."""

    loss = "gspo"


@register_algorithm("gspo_token")
class GspoToken(Grpo):
    """One ratio an answer, advantages for each token (arXiv 2507.18071, section 4.3)."""

    loss = "gspo_token"


@register_algorithm("cispo")
class Cispo(Grpo):
    """Clipped importance weights in place of a clipped objective (MiniMax-M1, arXiv 2506.13585)."""

    loss = "cispo"


@register_algorithm("dr_grpo")
class DrGrpo(GroupRelative):
    """Centred within the group, over a constant (arXiv 2503.20783)."""

    mean = "constant"
    credited = "the reward less its group's mean"

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """See the module note."""
        values = np.asarray(rewards, np.float64)
        return values - values.mean()


@register_algorithm("rloo")
class Rloo(GroupRelative):
    """Against the mean of the other answers (arXiv 2402.14740)."""

    credited = "the reward less the mean of its group's others"

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """See the module note."""
        values = np.asarray(rewards, np.float64)
        return (values - values.mean()) * len(values) / (len(values) - 1)
