"""Advantages of a group's rewards: pure functions in a registry.

`grpo`: (r - mean) / (std + 1e-6), arXiv 2402.03300, with the population standard deviation.
`dr_grpo`: r - mean, arXiv 2503.20783 (dividing by the deviation favours very easy and very hard prompts).
`rloo`: r_i - mean of the others, arXiv 2402.14740.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Advantages = Callable[[Sequence[float]], np.ndarray]


def grpo(rewards: Sequence[float]) -> np.ndarray:
    """Standardised within the group; float64 [n]."""
    values = np.asarray(rewards, np.float64)
    return (values - values.mean()) / (values.std() + 1e-6)


def dr_grpo(rewards: Sequence[float]) -> np.ndarray:
    """Centred within the group; float64 [n]."""
    values = np.asarray(rewards, np.float64)
    return values - values.mean()


def rloo(rewards: Sequence[float]) -> np.ndarray:
    """Against the mean of the other answers; float64 [n], n >= 2."""
    values = np.asarray(rewards, np.float64)
    return (values - values.mean()) * len(values) / (len(values) - 1)


ADVANTAGES: dict[str, Advantages] = {"grpo": grpo, "dr_grpo": dr_grpo, "rloo": rloo}
