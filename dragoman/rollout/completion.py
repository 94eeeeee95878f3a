"""What goes into and comes out of a rollout engine. Plain data; crosses actors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingSettings:
    """How to draw answers. Truncated sampling (top-p, top-k, min-p) is left out on purpose: the engine
    reports log-probs of the full distribution, so truncation would bias every importance ratio."""

    max_tokens: int
    temperature: float = 1.0
    """0 = greedy"""


@dataclass(frozen=True)
class Completion:
    """One finished answer."""

    token_ids: tuple[int, ...]
    """Sampled tokens, the end token included when it was sampled"""
    logprobs: tuple[float, ...]
    """Log-probability of each token when it was sampled, at the sampling temperature"""
    text: str
    """Decoded without special tokens"""
    finish_reason: str
    """`stop` (end token) or `length`"""
    version_first: int
    """Policy version when the answer was begun"""
    version_last: int
    """Policy version when it ended; differs when weights were synchronised meanwhile"""


def sample_seed(run_seed: int, task_id: str, sample: int, attempt: int = 0) -> int:
    """A 31-bit seed that depends only on what is sampled, not on when or where.

    So retried and resumed work draws the same answer.
    """
    digest = hashlib.blake2b(f"{run_seed}/{task_id}/{sample}/{attempt}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
