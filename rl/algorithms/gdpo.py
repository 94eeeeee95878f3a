"""GDPO: every reward component is standardised within its group, and the weighted sums over the whole batch
(`rewards.mixing.gdpo_advantages`)."""

from __future__ import annotations

from collections.abc import Sequence

from rewards.mixing import component_table, gdpo_advantages
from rl.algorithms.base import Credit, register_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.groups import ScoredGroup


@register_algorithm("gdpo")
class Gdpo(PolicyGradientAlgorithm):
    """See the module note."""

    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        """See `Algorithm.credit`."""
        tables = [component_table(group.visit.prompt.specs, [s.score for s in group.known]) for group in groups]
        values = gdpo_advantages([table for table, _ in tables], [weights for _, weights in tables])
        return [
            {sample.index: Credit(float(value)) for sample, value in zip(group.known, found, strict=True)}
            for group, found in zip(groups, values, strict=True)
        ]
