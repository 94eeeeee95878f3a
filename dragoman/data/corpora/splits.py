"""Which segments are the same question, and the split that each question falls into.

Two segments are one question when they share a text on either side, names of placeholders, numbers, case and
punctuation aside: `en-de` and `de-en` of one sentence, one source with two translations, two sources with one. So no
text of a held-out segment stands in training, in any language or direction. A question's split is its hash's, so more
text leaves what was held out held out.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from dragoman.data.catalogs.identity import Split, split_of, words_of
from dragoman.data.corpora.segments import Segment

SPLITS: tuple[Split, ...] = ("train", "preference", "rl", "development", "eval")


class Questions:
    """Listens to segments that pass by, and says afterwards which are one question: 16 bytes for each segment."""

    def __init__(self) -> None:
        self._marks = array("Q")
        """Of source and target of each segment, in turns"""

    def heard(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """The same segments."""
        for segment in segments:
            self._marks.extend((_mark(segment.source), _mark(segment.target)))
            yield segment

    def names(self) -> np.ndarray:
        """uint64 [segments]: the mark of the first text of each one's family."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        marks = np.frombuffer(self._marks, np.uint64) if self._marks else np.zeros(0, np.uint64)
        texts, first, of_text = np.unique(marks, return_index=True, return_inverse=True)
        sides = of_text.reshape(-1, 2)
        joined = coo_array((np.ones(len(sides), np.int8), (sides[:, 0], sides[:, 1])), shape=(len(texts),) * 2)
        families, family = connected_components(joined, directed=False)
        earliest = np.full(families, len(marks), np.int64)
        np.minimum.at(earliest, family, first)
        return marks[earliest[family[sides[:, 0]]]]


def split_numbers(names: np.ndarray, seed: int) -> Mapping[Split, np.ndarray]:
    """By split the numbers of its segments, int64, in their order."""
    questions, of_question = np.unique(names, return_inverse=True)
    splits = np.array([SPLITS.index(split_of(f"{name:016x}", seed)) for name in questions], np.int8)[of_question]
    return {name: np.flatnonzero(splits == place) for place, name in enumerate(SPLITS)}


def _mark(text: str) -> int:
    """The first 8 bytes of a hash of a text's words, or of a text without words as it is."""
    plain = " ".join(words_of(text) or (text,)).encode("utf-8", "replace")
    return int.from_bytes(hashlib.sha256(plain).digest()[:8], "big")
