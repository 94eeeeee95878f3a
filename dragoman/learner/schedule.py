"""Learning-rate schedules: pure functions of the step, so that resuming needs no scheduler state."""

from __future__ import annotations

import math


def learning_rate(
    step: int, *, steps: int, peak: float, warmup_share: float, final_share: float, schedule: str
) -> float:
    """Rate of optimiser step `step` (0-based) of `steps`.

    Linear warm-up over `warmup_share` of the steps to `peak`, then `cosine` or `linear` decay to
    `final_share * peak`, or `constant`.
    """
    warmup = round(steps * warmup_share)
    if step < warmup:
        return peak * (step + 1) / warmup
    if schedule == "constant":
        return peak
    done = (step - warmup) / max(1, steps - warmup)
    remaining = 0.5 * (1 + math.cos(math.pi * done)) if schedule == "cosine" else 1 - done
    return peak * (final_share + (1 - final_share) * remaining)
