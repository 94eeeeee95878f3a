"""The loss of a value head (PPO, arXiv 1707.06347): half the squared distance to the returns, clipped as the policy is.

    c/2 mean of max((V - R)^2, (clip(V, V_old - eps, V_old + eps) - R)^2)

V_old, the values before the batch's first step, is the channel `values`; R the channel `returns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dragoman.learner.losses.base import Batch, TokenMean

if TYPE_CHECKING:
    from torch import Tensor

    from dragoman.learner.forward import TokenStatistics


@dataclass(frozen=True)
class ValueLoss:
    """See the module note."""

    coefficient: float = 0.1
    clip: float | None = 0.2
    """How far a value may move within a batch; None = as far as it likes"""

    def __call__(self, stats: TokenStatistics, batch: Batch, mean: TokenMean) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted loss, and metrics; `mean` is that of the policy's tokens."""
        found, old, returns = stats.values, batch["values"], batch["returns"]
        error = (found - returns).square()
        clipped = error
        if self.clip is not None:
            clipped = ((old + (found - old).clamp(-self.clip, self.clip)) - returns).square()
        loss = mean(error.maximum(clipped)) / 2
        sums = {
            "value_loss": loss.detach(),
            "value_mean": mean(found.detach()),
            "return_mean": mean(returns),
            "value_clip_fraction": mean(clipped > error),
        }
        return self.coefficient * loss, sums
