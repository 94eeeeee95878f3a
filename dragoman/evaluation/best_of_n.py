"""Synthetic pairs: of several translations of a text the best one, of the texts those that profit most.

TranslateGemma (arXiv 2601.09012) makes its training pairs so: of a great many texts those are kept whose sampled
translation a metric without reference prefers most to the greedy one, and of these the best of many samples is learned.
Where greedy decoding is as good as the best sample there is nothing to learn from the model itself. Texts are compared
with others of about their length, since metrics differ by it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Judged:
    """A translation and what it earns."""

    text: str
    value: float


@dataclass(frozen=True)
class Tried:
    """A text with its greedy translation and the samples that could be judged."""

    source: str
    source_language: str
    target_language: str
    greedy: Judged
    samples: tuple[Judged, ...]

    @property
    def best(self) -> Judged:
        """The translation that earns most; the greedy one, unless a sample earns more."""
        return max((self.greedy, *self.samples), key=lambda one: one.value)

    @property
    def gain(self) -> float:
        """What the best one earns above the greedy one, at least 0."""
        return self.best.value - self.greedy.value

    @property
    def peers(self) -> tuple[str, str, int]:
        """Direction and length, as a power of two: what it is compared with."""
        return self.source_language, self.target_language, len(self.source).bit_length()


def profiting(tried: Sequence[Tried], share: float) -> list[Tried]:
    """Of each direction and length the share with the greatest gain, rounded up, none without a gain; those that gain
    most first within each."""
    kept = []
    for _, group in groupby(sorted(tried, key=lambda one: one.peers), key=lambda one: one.peers):
        ranked = sorted(group, key=lambda one: (-one.gain, one.source))
        kept += [one for one in ranked[: math.ceil(share * len(ranked) - 1e-9)] if one.gain > 0]
    return kept
