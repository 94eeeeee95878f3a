"""Filters with a memory: what was there before, and what is held out. They see the segments in order."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dragoman.data.corpora.filters.base import Filter, register_filter
from dragoman.data.corpora.segments import Segment
from dragoman.files import read_lines

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import CorpusSizes

_WORDS = re.compile(r"[^\W_]+")
PIECE = 5
"""Letters of the pieces that near duplicates are compared by"""
PERMUTATIONS = 128
SHORTEST = 40
"""Letters from which on: of short texts, a singular is nearly its plural"""


@register_filter("duplicates")
class Duplicates(Filter):
    """The same pair again, white space, case and punctuation aside."""

    def __init__(self, sizes: CorpusSizes) -> None:
        super().__init__(sizes)
        self.seen: set[bytes] = set()

    def fault(self, segment: Segment) -> str | None:
        mark = _mark(f"{segment.direction}|{_plain(segment.source)}|{_plain(segment.target)}")
        if mark in self.seen:
            return "was there already"
        self.seen.add(mark)
        return None


@register_filter("near_duplicates")
class NearDuplicates(Filter):
    """A source that is nearly another one's of the same direction. Candidates of the index are compared by their
    sketches, whose similarity is off by about 0.03 (one standard deviation at 0.85)."""

    def __init__(self, sizes: CorpusSizes) -> None:
        from datasketch import MinHash

        super().__init__(sizes)
        self.empty = MinHash(num_perm=PERMUTATIONS)
        self.indices: dict[tuple[str, str], Any] = {}
        self.sketches: list[tuple[str, np.ndarray]] = []
        """Place and hash values of every source kept"""

    def fault(self, segment: Segment) -> str | None:
        text = _plain(segment.source)
        if len(text) < SHORTEST:
            return None
        sketch, index = self.empty.copy(), self._index(segment.direction)
        sketch.update_batch([text[i : i + PIECE].encode() for i in range(max(1, len(text) - PIECE + 1))])
        values = sketch.hashvalues.astype(np.uint32)
        for number in sorted(index.query(sketch)):
            place, other = self.sketches[number]
            if float((values == other).mean()) >= self.limits.near:
                return f"nearly the source of {place}"
        index.insert(len(self.sketches), sketch)
        self.sketches.append((segment.place, values))
        return None

    def _index(self, direction: tuple[str, str]) -> Any:
        from datasketch import MinHashLSH

        if direction not in self.indices:
            self.indices[direction] = MinHashLSH(threshold=self.limits.near - 0.1, num_perm=PERMUTATIONS)
        return self.indices[direction]


@register_filter("contamination")
class Contamination(Filter):
    """Held-out text: the suites of the recipe, and further files that it names."""

    def __init__(self, sizes: CorpusSizes) -> None:
        super().__init__(sizes)
        rows = (row for name in sizes.contamination for _, row in read_lines(Path(name).expanduser()))
        self.held = {_mark(_plain(row[side])) for row in rows for side in ("source", "reference") if row.get(side)}

    def fault(self, segment: Segment) -> str | None:
        held = any(_mark(_plain(text)) in self.held for text in (segment.source, segment.target))
        return "held out for measuring" if held else None


def _plain(text: str) -> str:
    """Words and numbers only, case folded."""
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
