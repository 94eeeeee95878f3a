"""Segments on disk, in an Arrow file that is mapped into memory: millions of them cost what is being looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

import numpy as np

from dragoman.data.corpora.segments import Segment, writable

PIECE = 2_000
"""Segments written and read at a time"""
COLUMNS = tuple(field.name for field in fields(Segment))


class SegmentStore:
    """Segments by their number, in the order in which they were written."""

    def __init__(self, path: Path) -> None:
        import datasets
        import pyarrow.compute as compute

        self._table = datasets.Dataset.from_file(str(path)).data.table
        sides = (self._table.column("source_language"), self._table.column("target_language"), "\t")
        found = compute.binary_join_element_wise(*sides).combine_chunks().dictionary_encode()
        self.directions = [tuple(name.split("\t")) for name in found.dictionary.to_pylist()]
        """Source and target languages that occur"""
        self.direction_of = found.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        """Place in `directions`, int32, by number"""

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def each(self, numbers: np.ndarray) -> Iterator[Segment]:
        """The segments of these numbers, in this order."""
        for start in range(0, len(numbers), PIECE):
            found = self._table.take(numbers[start : start + PIECE])
            columns = [found.column(name).to_pylist() for name in COLUMNS]
            yield from (Segment(*values) for values in zip(*columns, strict=True))


@dataclass(frozen=True)
class Stored:
    """A choice of segments, each as it is or turned round, with the question that it is."""

    store: SegmentStore
    numbers: np.ndarray
    """int64 [n]"""
    turned: np.ndarray
    """bool [n]"""
    questions: np.ndarray
    """uint64, by number of the store: names of questions"""

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[tuple[str, Segment]]:
        names = self.questions[self.numbers]
        for name, turned, segment in zip(names, self.turned, self.store.each(self.numbers), strict=True):
            yield f"{name:016x}", segment.turned() if turned else segment

    def of(self, number: int, *, turned: bool) -> tuple[str, str]:
        """The direction `number` of the store, turned round if asked for."""
        source, target = self.store.directions[number]
        return (target, source) if turned else (source, target)

    def by_direction(self) -> dict[tuple[str, str], np.ndarray]:
        """Places by direction, in their order."""
        codes = self.store.direction_of[self.numbers] * 2 + self.turned
        found: dict[tuple[str, str], np.ndarray] = {}
        for code in np.unique(codes):
            direction = self.of(int(code) // 2, turned=bool(code % 2))
            places = np.flatnonzero(codes == code)
            found[direction] = np.sort(np.concatenate([found[direction], places])) if direction in found else places
        return found

    def at(self, places: np.ndarray) -> "Stored":
        """Those at these places, in this order."""
        return Stored(self.store, self.numbers[places], self.turned[places], self.questions)


def store_segments(path: Path, segments: Iterable[Segment]) -> SegmentStore:
    """Write segments as they come."""
    import datasets
    from datasets.arrow_writer import ArrowWriter

    features = datasets.Features({name: datasets.Value("string") for name in COLUMNS})
    coming = iter(segments)
    with ArrowWriter(path=str(path), features=features) as writer:
        while some := list(islice(coming, PIECE)):
            writer.write_batch({name: [writable(getattr(one, name)) for one in some] for name in COLUMNS})
        writer.finalize()
    return SegmentStore(path)
