"""Which segments are the same question, and the split that each question falls into.

Two segments are one question when they share a text on either side, names of placeholders, numbers, case and
punctuation aside: `en-de` and `de-en` of one sentence, one source with two translations, two sources with one. So no
text of a held-out segment stands in training, in any language or direction. A question's split is its hash's, so more
text leaves what was held out held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from dragoman.data.catalogs.identity import Split, split_of, words_of
from dragoman.data.corpora.segments import Segment

Pool = Mapping[Split, Sequence[tuple[str, Segment]]]
"""By split: questions and their segments, in the order of the inputs"""


class Questions:
    """Joins segments that share a text (union by the smaller number, paths halved)."""

    def __init__(self) -> None:
        self.parents: list[int] = []
        self.names: list[str] = []
        self.numbers: dict[bytes, int] = {}

    def add(self, segment: Segment) -> int:
        """The number of a segment's question, so far."""
        first, second = (self._number(text) for text in (segment.source, segment.target))
        low, high = sorted((self._root(first), self._root(second)))
        self.parents[high] = low
        return low

    def name(self, number: int) -> str:
        """A question's short name: that of the first text of its family."""
        return self.names[self._root(number)]

    def _number(self, text: str) -> int:
        mark = hashlib.sha256(" ".join(words_of(text) or (text,)).encode("utf-8", "replace")).digest()[:8]
        if mark not in self.numbers:
            self.numbers[mark] = len(self.parents)
            self.parents.append(len(self.parents))
            self.names.append(mark.hex())
        return self.numbers[mark]

    def _root(self, number: int) -> int:
        while self.parents[number] != number:
            self.parents[number] = self.parents[self.parents[number]]
            number = self.parents[number]
        return number


def split_segments(segments: Iterable[Segment], seed: int) -> Pool:
    """Every segment with its question, by the question's split."""
    questions, held = Questions(), list(segments)
    numbers = [questions.add(segment) for segment in held]
    pool: dict[Split, list[tuple[str, Segment]]] = {}
    for number, segment in zip(numbers, held, strict=True):
        name = questions.name(number)
        pool.setdefault(split_of(name, seed), []).append((name, segment))
    return pool
