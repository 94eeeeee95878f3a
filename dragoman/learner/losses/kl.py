"""KL(pi || reference) from the tokens that were sampled (joschu.net/blog/kl-approx.html), d = log reference - log pi:

    k1 = -d          k2 = d^2 / 2          k3 = exp(d) - 1 - d

k1 is unbiased but may be negative; k2 and k3 are not. As a loss, the gradient of k2 is that of KL in expectation; k1's
is 0 and k3's that of KL(reference || pi). In a reward k1 is right. Multiplied by the ratio, with its gradient, each is
an unbiased estimate whatever policy sampled, and so is its gradient (DeepSeek-V3.2, arXiv 2512.02556).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    Array = TypeVar("Array", Tensor, np.ndarray)

Estimator = Literal["k1", "k2", "k3"]


def estimate(kind: Estimator, logprobs: Array, reference: Array) -> Array:
    """Of each token; tensors or arrays of one shape."""
    difference = reference - logprobs
    if kind == "k1":
        return -difference
    if kind == "k2":
        return difference**2 / 2
    exponential = np.exp(difference) if isinstance(difference, np.ndarray) else difference.exp()
    return exponential - 1 - difference


@dataclass(frozen=True)
class KlPenalty:
    """A penalty in the loss; the channel is `reference_logprobs`."""

    coefficient: float
    """0 = its metric alone"""
    estimator: Estimator = "k3"
    weighted: bool = False
    """Multiplied by the importance ratio against the policy that sampled"""
