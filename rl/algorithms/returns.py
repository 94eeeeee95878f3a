"""From rewards of tokens to advantages: pure functions on the answer's tokens, float64.

Discounted sums, generalised advantage estimation (Schulman et al., arXiv 1506.02438) with the end of an answer worth 0,
whitening as verl's `masked_whiten`, soft overlong shaping (DAPO, arXiv 2503.14476, equation 13).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dragoman.learner import TokenSequence
from rl.algorithms.base import AnswerUnit

Array = npt.NDArray[np.float64]
WHITENING_EPSILON = 1e-8


def rewards_to_go(rewards: Array, discount: float = 1.0) -> Array:
    """sum_k discount^k r_{t+k}, [T]."""
    return generalised_advantages(rewards, np.zeros(len(rewards)), discount, 1.0)


def generalised_advantages(rewards: Array, values: Array, discount: float, decay: float) -> Array:
    """sum_k (discount decay)^k (r_{t+k} + discount V_{t+k+1} - V_{t+k}), [T]; `decay` is GAE's lambda."""
    errors = rewards + discount * np.append(values[1:], 0.0) - values
    found, ahead = np.zeros(len(rewards)), 0.0
    for place in reversed(range(len(rewards))):
        ahead = errors[place] + discount * decay * ahead
        found[place] = ahead
    return found


def whitened(units: Sequence[AnswerUnit]) -> list[AnswerUnit]:
    """Advantages standardised over all tokens with loss of all answers, each token counting once."""
    every = np.concatenate([s.channels["advantages"][s.channels["loss_mask"] != 0] for (s,) in units], dtype=np.float64)
    mean, variance = every.mean(), every.var(ddof=min(1, len(every) - 1))
    scale = 1 / np.sqrt(variance + WHITENING_EPSILON)

    def standardised(sequence: TokenSequence) -> TokenSequence:
        found = (sequence.channels["advantages"] - mean) * scale * sequence.channels["loss_mask"]
        return sequence.with_channels({"advantages": found.astype(np.float32)})

    return [(standardised(sequence),) for (sequence,) in units]


def overlong_penalty(length: int, limit: int, buffer: int) -> float:
    """0 up to limit - buffer, then linearly to -1 at the limit."""
    return -float(np.clip((length - (limit - buffer)) / buffer, 0.0, 1.0)) if buffer else 0.0
