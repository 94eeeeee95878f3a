"""Filters with a memory: what was there before, and what is held out. They see the segments in order."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragoman.data.corpora.filters.base import Filter, register_filter
from dragoman.data.corpora.segments import InputError, Segment
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
    sketches, whose similarity is off by about 0.03 (one standard deviation at 0.85). About 700 bytes a text."""

    def __init__(self, sizes: CorpusSizes) -> None:
        from datasketch import MinHash

        super().__init__(sizes)
        self.empty = MinHash(num_perm=PERMUTATIONS)
        self.rows = rows_of_band(self.limits.near - 0.1)
        self.index, self.places = BandIndex(), list[str]()
        self.sketches = np.zeros((1024, PERMUTATIONS), np.uint16)
        """The low bits of the hash values of every source kept: all that comparing takes"""

    def fault(self, segment: Segment) -> str | None:
        text = _plain(segment.source)
        if len(text) < SHORTEST:
            return None
        sketch = self.empty.copy()
        sketch.update_batch([text[i : i + PIECE].encode() for i in range(max(1, len(text) - PIECE + 1))])
        bands = self._bands(sketch.hashvalues, segment.direction)
        values = sketch.hashvalues.astype(np.uint16)
        for number in self.index.found(bands):
            if float((values == self.sketches[number]).mean()) >= self.limits.near:
                return f"nearly the source of {self.places[number]}"
        self.index.add(bands, len(self.places))
        if len(self.places) == len(self.sketches):
            self.sketches = np.concatenate([self.sketches, np.zeros_like(self.sketches)])
        self.sketches[len(self.places)] = values
        self.places.append(segment.place)
        return None

    def _bands(self, values: np.ndarray, direction: tuple[str, str]) -> np.ndarray:
        """A hash of each band of a sketch, uint64 [bands], none of them 0."""
        pieces = [values[start : start + self.rows] for start in range(0, PERMUTATIONS - self.rows + 1, self.rows)]
        salted = (f"{number}{direction}".encode() + piece.tobytes() for number, piece in enumerate(pieces))
        marks = b"".join(hashlib.blake2b(content, digest_size=8).digest() for content in salted)
        return np.maximum(np.frombuffer(marks, np.uint64), 1)


def rows_of_band(threshold: float) -> int:
    """Rows r of a band so that texts of this similarity share one of the 128 / r bands about as often as not
    (Mining of Massive Datasets, section 3.4: the curve 1 - (1 - s^r)^b is steepest near (1/b)^(1/r))."""
    return min(range(1, 33), key=lambda r: abs((r / PERMUTATIONS) ** (1 / r) - threshold))


class BandIndex:
    """From the hash of a band to the first text that had it: a table with open addresses, 12 bytes a place."""

    def __init__(self) -> None:
        self.keys, self.values = np.zeros(1 << 16, np.uint64), np.zeros(1 << 16, np.int32)
        self.held = 0

    def found(self, bands: np.ndarray) -> list[int]:
        """The texts that had one of these, in their order."""
        places = self._places(bands)
        return sorted(set(self.values[places[self.keys[places] == bands]].tolist()))

    def add(self, bands: np.ndarray, number: int) -> None:
        """A text's bands, where no earlier text had them."""
        if 2 * (self.held + len(bands)) > len(self.keys):
            self._grow()
        for band in bands:  # one after the other: two new ones may want the same place
            (place,) = self._places(band[None])
            if not self.keys[place]:
                self.keys[place], self.values[place] = band, number
                self.held += 1

    def _places(self, bands: np.ndarray) -> np.ndarray:
        """Where each is, or would be."""
        last = np.uint64(len(self.keys) - 1)
        places = bands & last
        while (taken := (self.keys[places] != 0) & (self.keys[places] != bands)).any():
            places = np.where(taken, (places + np.uint64(1)) & last, places)
        return places

    def _grow(self) -> None:
        held = np.flatnonzero(self.keys)
        keys, values = self.keys[held], self.values[held]
        self.keys, self.values = np.zeros(2 * len(self.keys), np.uint64), np.zeros(2 * len(self.values), np.int32)
        while len(keys):  # those that find their place free, the first of each; the others in the next round
            places = self._places(keys)
            _, first = np.unique(places, return_index=True)
            self.keys[places[first]], self.values[places[first]] = keys[first], values[first]
            left = np.ones(len(keys), np.bool_)
            left[first] = False
            keys, values = keys[left], values[left]


@register_filter("contamination")
class Contamination(Filter):
    """Held-out text: the suites of the recipe, and further files that it names."""

    def __init__(self, sizes: CorpusSizes) -> None:
        super().__init__(sizes)
        self.held = {_mark(_plain(text)) for name in sizes.contamination for text in _held_out(Path(name).expanduser())}

    def fault(self, segment: Segment) -> str | None:
        held = any(_mark(_plain(text)) in self.held for text in (segment.source, segment.target))
        return "held out for measuring" if held else None


def _held_out(path: Path) -> Iterator[str]:
    """The texts of a file; InputError names a row without any, which would hold nothing out."""
    for number, row in read_lines(path):
        texts = [text for side in ("source", "reference") if isinstance(text := row.get(side), str) and text]
        if not texts:
            raise InputError(f"{path}:{number} has no text in source or reference; name the columns so")
        yield from texts


def _plain(text: str) -> str:
    """Words and numbers only, case folded."""
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
