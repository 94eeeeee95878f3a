"""Held-out texts that are near a trained one, although they ask for something else.

"Unable to retrieve the volume snapshots." is no copy of "Unable to retrieve the volume.", but most of its translation
is known. `mark_near` says so in the column `heldout`, so that figures can be read with and without such rows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from dragoman.data.catalogs.identity import words_of
from dragoman.data.catalogs.meanings import Meaning

NEAR = 0.5
"""Jaccard similarity of the sets of word pairs of two English texts from which on they are near"""
Pairs = frozenset[tuple[str, ...]]


def mark_near(meanings: Sequence[Meaning]) -> list[Meaning]:
    """The meanings, those of evaluation and development that are near one of training with `heldout` = "near"."""
    index = _Index(meaning.english for meaning in meanings if meaning.split == "train")
    return [
        replace(m, heldout="near")
        if m.split in ("eval", "development") and m.heldout == "string" and index.similarity(m.english) >= NEAR
        else m
        for m in meanings
    ]


class _Index:
    """Texts by their word pairs."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [word_pairs(text) for text in texts]
        self._places: dict[tuple[str, ...], list[int]] = {}
        for place, pairs in enumerate(self._texts):
            for pair in pairs:
                self._places.setdefault(pair, []).append(place)

    def similarity(self, text: str) -> float:
        """With the most similar of the texts, 0 to 1."""
        pairs = word_pairs(text)
        shared = Counter(place for pair in pairs for place in self._places.get(pair, ()))
        return max((count / len(pairs | self._texts[place]) for place, count in shared.items()), default=0.0)


def word_pairs(text: str) -> Pairs:
    """Neighbouring words."""
    return frozenset(pairwise(words_of(text)))
