"""Segments through filters, and what became of them: how many went in and out of each, with samples of what went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dragoman.data.corpora.filters import FILTERS, Filter
from dragoman.data.corpora.segments import Segment, writable
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.workers import Faults, judged

SAMPLES = 5


@dataclass(frozen=True)
class LeftOut:
    """A segment that a filter left out."""

    place: str
    source: str
    target: str
    reason: str


@dataclass
class Passage:
    """One filter's part of the funnel."""

    name: str
    came: int = 0
    went: int = 0
    """Left out"""
    samples: list[LeftOut] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """Passed on."""
        return self.came - self.went


class Funnel:
    """Filters in their order. Iterating `run` fills `passages`: the same ones, whatever the number of processes."""

    def __init__(self, sizes: CorpusSizes) -> None:
        self.filters: Mapping[str, Filter] = {name: FILTERS[name](sizes) for name in sizes.filters}
        self.passages = [Passage(name) for name in self.filters]
        self.processes = sizes.processes

    def run(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """Those that no filter leaves out."""
        alone = {name: one for name, one in self.filters.items() if one.alone}
        for segment, told in judged(segments, alone, self.processes):
            if all(self._passes(passage, segment, told) for passage in self.passages):
                yield segment

    def emptied_by(self) -> Passage | None:
        """The filter that left out everything that still came to it; None where something is left."""
        return next((passage for passage in self.passages if passage.came and not passage.kept), None)

    def _passes(self, passage: Passage, segment: Segment, told: Faults | None) -> bool:
        passage.came += 1
        one = self.filters[passage.name]
        reason = one.fault(segment) if told is None or not one.alone else told.get(passage.name)
        if reason is None:
            return True
        passage.went += 1
        if len(passage.samples) < SAMPLES:
            source, target = (writable(text[:200]) for text in (segment.source, segment.target))
            passage.samples.append(LeftOut(writable(segment.place), source, target, reason))
        return False
