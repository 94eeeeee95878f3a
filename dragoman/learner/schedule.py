"""Learning-rate schedules: a pure function of the step, so that resuming needs no scheduler state."""

import math

from dragoman.learner.settings import OptimiserSettings

FROM_SCRATCH = 1e-3
"""Peak for a network from random weights, where the recipe names none"""


def learning_rate(step: int, optimiser: OptimiserSettings) -> float:
    """Rate of optimiser step `step` (0-based).

    Linear warm-up over `warmup_share` of the steps to the peak, then `cosine` or `linear` decay to
    `final_learning_rate_share` of it, or `constant`.
    """
    warmup = round(optimiser.steps * optimiser.warmup_share)
    peak, final_share = optimiser.learning_rate or FROM_SCRATCH, optimiser.final_learning_rate_share
    if step < warmup:
        return peak * (step + 1) / warmup
    if optimiser.schedule == "constant":
        return peak
    done = (step - warmup) / max(1, optimiser.steps - warmup)
    remaining = 0.5 * (1 + math.cos(math.pi * done)) if optimiser.schedule == "cosine" else 1 - done
    return peak * (final_share + (1 - final_share) * remaining)
