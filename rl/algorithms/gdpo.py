"""GDPO (arXiv 2601.05242): every reward component is standardised within its group, and the weighted sums over the
whole batch (`rewards.mixing.gdpo_advantages`)."""

from collections.abc import Sequence

import numpy as np

from rewards.mixing import component_table, components_differ, gdpo_advantages
from rl.algorithms.base import Credit, register_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.groups import ScoredGroup


@register_algorithm("gdpo")
class Gdpo(PolicyGradientAlgorithm):
    """See the module note."""

    credited = "each component standardised within its group, their sum over the batch"

    def differs(self, group: ScoredGroup) -> bool:
        """Equal sums of different components teach, too."""
        scores = [sample.score for sample in group.known]
        return components_differ(group.visit.prompt.specs, scores, self.mixing, self.settings.minimum_spread)

    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        tables = [self._table(group) for group in groups]
        values = gdpo_advantages([table for table, _ in tables], [weights for _, weights in tables])
        return [
            {sample.index: Credit(float(value)) for sample, value in zip(group.known, found, strict=True)}
            for group, found in zip(groups, values, strict=True)
        ]

    def _table(self, group: ScoredGroup) -> tuple[np.ndarray, list[float]]:
        """The components of a group and their weights; what overlong answers lose is one more, of weight 1."""
        table, weights = component_table(group.visit.prompt.specs, [s.score for s in group.known], self.mixing)
        if not self.overlong_buffer:
            return table, weights
        lost = np.array([self.overlong(sample) for sample in group.known])
        return np.column_stack([table, lost]), [*weights, 1.0]
