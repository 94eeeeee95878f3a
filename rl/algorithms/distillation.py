"""`distillation`: the teacher of `rl.distillation` alone; rewards are measured, and teach nothing but through gates."""

from collections.abc import Sequence
from typing import ClassVar

from rl.algorithms.base import Credit, register_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.groups import ScoredGroup


@register_algorithm("distillation")
class DistillationAlone(PolicyGradientAlgorithm):
    """On-policy distillation (arXiv 2306.13649): all credit comes from `rl.distillation`."""

    group_baseline: ClassVar[bool] = False
    credited: ClassVar[str] = "the teacher's alone"

    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        return [{sample.index: Credit(0.0) for sample in group.known} for group in groups]
