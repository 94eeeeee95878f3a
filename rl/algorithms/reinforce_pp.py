"""REINFORCE++ (arXiv 2501.03262): no value head, and advantages standardised over the whole batch, not in each group.

`reinforce_pp`: A = r, less KL if the recipe puts it into the reward; `reinforce_pp_baseline`: A = r - mean of the
group. Then (A - mean) / std over all tokens with loss of the batch, as verl's `masked_whiten`.
"""

from collections.abc import Sequence

import numpy as np

from rl.algorithms.base import AnswerUnit, register_algorithm
from rl.algorithms.group_relative import GroupRelative
from rl.algorithms.returns import whitened


@register_algorithm("reinforce_pp")
class ReinforcePlusPlus(GroupRelative):
    """The reward, standardised over the batch."""

    group_baseline = False
    credited = "the reward, standardised over the batch's tokens"

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """The rewards as they are."""
        return np.asarray(rewards, np.float64)

    def shape(self, units: Sequence[AnswerUnit]) -> list[AnswerUnit]:
        """Standardised, after what KL takes off."""
        return whitened(super().shape(units))


@register_algorithm("reinforce_pp_baseline")
class ReinforcePlusPlusBaseline(ReinforcePlusPlus):
    """The reward less its group's mean, standardised over the batch."""

    group_baseline = True
    credited = "the reward less its group's mean, standardised over the batch's tokens"

    def advantages(self, rewards: Sequence[float]) -> np.ndarray:
        """Centred within the group."""
        values = np.asarray(rewards, np.float64)
        return values - values.mean()
