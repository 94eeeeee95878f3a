"""What goes into and comes out of a rollout engine. Plain data; crosses actors."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.files import read_json


@dataclass(frozen=True)
class SamplingSettings:
    """How to draw answers. RL uses none of the last three: they change the distribution that is drawn from, so ratios
    against the learner's log-probs would be biased. Where no ratio is formed, preference pairs, they are welcome."""

    max_tokens: int
    temperature: float = 1.0
    """0 = greedy"""
    top_p: float = 1.0
    top_k: int = 0
    """0 = all"""
    bad_words: tuple[str, ...] = ()
    """Texts that are never written"""
    stop: tuple[str, ...] = ()
    """Texts at which an answer ends; it has them"""
    beams: int = 1
    """Above 1: the best answer of a beam search (`rollout.beam`); temperature, top_p and the like have no part in it"""
    logprobs: bool = True
    """False where nobody asks how likely an answer was: engines then spend nothing on it"""


@dataclass(frozen=True)
class Completion:
    """One finished answer."""

    token_ids: tuple[int, ...]
    """Sampled tokens, the end token included when it was sampled"""
    logprobs: tuple[float, ...]
    """Log-probability of each token when it was sampled, at the sampling temperature; empty where nobody asked"""
    text: str
    """`answer_text` of the tokens"""
    finish_reason: str
    """`stop` (end token) or `length`"""
    version_first: int
    """Policy version when the answer was begun"""
    version_last: int
    """Policy version when it ended; differs when weights were synchronised meanwhile"""


def answer_text(tokenizer: Any, token_ids: Sequence[int]) -> str:
    """What an answer's tokens say: all that they decode to, special tokens left out, nothing stripped."""
    return str(tokenizer.decode(token_ids, skip_special_tokens=True))


def end_tokens(folder: str, tokenizer: Any) -> frozenset[int]:
    """Tokens at which a model ends: its tokenizer's, and those of its generation settings."""
    found = read_json(Path(folder) / "generation_config.json") or {}
    stated = found.get("eos_token_id")
    named = [*(stated if isinstance(stated, list) else [stated]), tokenizer.eos_token_id]
    return frozenset(int(token) for token in named if token is not None)


def sample_seed(run_seed: int, task_id: str, sample: int, attempt: int = 0) -> int:
    """A 31-bit seed that depends only on what is sampled, not on when or where.

    So retried and resumed work draws the same answer.
    """
    digest = hashlib.blake2b(f"{run_seed}/{task_id}/{sample}/{attempt}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
