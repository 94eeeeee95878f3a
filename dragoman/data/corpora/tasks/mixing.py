"""Rows of a file by shares of tasks: each segment becomes a row of the task that is furthest behind and can use it.

The share of every task holds at every length of the file, within the one or two rows of a segment. A right answer that
its own rewards do not pay in full makes no row. What a corpus cannot give is an error that names the task.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from random import Random
from types import MappingProxyType

import numpy as np

from dragoman.data.catalogs.identity import words_of
from dragoman.data.catalogs.items import Item, is_paid
from dragoman.data.corpora.entities import NEEDS
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.store import SegmentStore, Stored
from dragoman.data.corpora.tasks import TASKS
from dragoman.data.corpora.tasks.base import Material, Near, TaskKind
from dragoman.data.sources import SourceError

ORDINARY = ""
"""What is no task of the table: translation, instructed localisation"""
OTHERS, AROUND, FAMILY = 6, 4, 64
"""Segments of the same direction kept; segments looked at before and behind one; segments of one question looked at"""
TOLERANCE, ROWS = 0.01, 2
Ordinary = Callable[[Near, Sequence[Near]], Sequence[Item]]


@dataclass(frozen=True)
class Files:
    """The neighbours of segments in the files that they come from."""

    store: SegmentStore
    allowed: np.ndarray
    """bool, by number of the store: what may be shown"""
    families: "Families"

    @classmethod
    def of(cls, pools: Sequence[Stored]) -> "Files":
        """Those of some splits; nothing else is ever shown."""
        allowed = np.zeros(len(pools[0].store), np.bool_)
        for pool in pools:
            allowed[pool.numbers] = True
        return cls(pools[0].store, allowed, Families.of(pools[0].questions, allowed))

    def around(self, number: int, segment: Segment, *, turned: bool) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """Before and behind a segment, each in the file's order, up to the first that may not be shown."""
        before = self._run(range(number - 1, number - 1 - AROUND, -1), number, segment, turned)
        return before[::-1], self._run(range(number + 1, number + 1 + AROUND), number, segment, turned)

    def renderings(self, number: int, segment: Segment, *, turned: bool) -> tuple[str, ...]:
        """Other translations of a segment's source into its language."""
        found = self.families.of_segment(number)
        direction = self.store.direction_of
        near = found[direction[found] == direction[number]]
        source = words_of(segment.source)
        others = (other.turned() if turned else other for other in self.store.each(near[near != number]))
        return tuple(
            dict.fromkeys(o.target for o in others if words_of(o.source) == source and o.target != segment.target)
        )

    def _run(self, numbers: range, number: int, segment: Segment, turned: bool) -> tuple[Segment, ...]:
        direction = self.store.direction_of[number]

        def shown(n: int) -> bool:
            return bool(0 <= n < len(self.store) and self.allowed[n] and self.store.direction_of[n] == direction)

        found = self.store.each(np.array(list(takewhile(shown, numbers)), np.int64))
        here = file_of(segment.place)
        same = takewhile(lambda other: file_of(other.place) == here, found)
        return tuple(other.turned() if turned else other for other in same)


@dataclass(frozen=True)
class Families:
    """Segments by the question that they are, of those that may be shown."""

    names: np.ndarray
    """uint64, by number of the store"""
    order: np.ndarray
    """int64: numbers that may be shown, those of one question side by side"""
    sorted_names: np.ndarray
    """uint64, of `order`"""

    @classmethod
    def of(cls, names: np.ndarray, allowed: np.ndarray) -> "Families":
        """Eight bytes and a name for each segment."""
        shown = np.flatnonzero(allowed)
        order = shown[np.argsort(names[shown], kind="stable")]
        return cls(names, order, names[order])

    def of_segment(self, number: int) -> np.ndarray:
        """The first few of its question, int64."""
        first = int(np.searchsorted(self.sorted_names, self.names[number]))
        last = int(np.searchsorted(self.sorted_names, self.names[number], side="right"))
        return self.order[first : min(last, first + FAMILY)]


def file_of(place: str) -> str:
    """The file of `name:12` or `name#unit`."""
    head, sign, _ = place.partition("#")
    return head if sign else place.rpartition(":")[0]


def mixed(
    chosen: Stored, files: Files, shares: Mapping[str, float], limit: int, ordinary: Ordinary, random: Random,
    what: str, beside: Mapping[str, Iterator[Item]] = MappingProxyType({}),
) -> Iterator[Item]:  # fmt: skip
    """At most `limit` items; SourceError at the end when a task is off its share by more than a hundredth. The items of
    `beside` are those of tasks that no segment is made into."""
    asked = {**shares, ORDINARY: 1 - sum(shares.values())}
    counts: Counter[str] = Counter()
    seen: dict[tuple[str, str], deque[Near]] = {}
    for number, turned, near in zip(chosen.numbers, chosen.turned, chosen, strict=True):
        while (first := furthest_behind(asked, counts)[0]) in beside and counts.total() < limit:
            item = next(beside[first], None)
            if item is None:
                break
            counts[first] += 1
            yield item
        if counts.total() >= limit:
            break
        others = seen.setdefault(near[1].direction, deque(maxlen=OTHERS))
        plain = Material(*near, tuple(other for other in others if other[0] != near[0]))
        for name in furthest_behind(asked, counts):
            if name in beside:
                continue
            if name == ORDINARY:
                items = list(ordinary(near, others))
            else:
                material = _looked_up(plain, TASKS[name], files, int(number), bool(turned))
                items = TASKS[name].make(material, random)
                items = items if all(map(is_paid, items)) else []
            if items:
                break
        for item in items[: limit - counts.total()]:
            counts[name] += 1
            yield item
        others.appendleft(near)
    check_shares(asked, counts, what)


def _looked_up(material: Material, kind: TaskKind, files: Files, number: int, turned: bool) -> Material:
    """With what the task looks at besides."""
    if kind.in_file:
        before, after = files.around(number, material.segment, turned=turned)
        return replace(material, before=before, after=after)
    if kind.rendered:
        return replace(material, renderings=files.renderings(number, material.segment, turned=turned))
    return material


def furthest_behind(shares: Mapping[str, float], counts: Mapping[str, int]) -> list[str]:
    """Tasks with a share, the one first that lacks most rows."""
    after = sum(counts.values()) + 1
    return sorted(
        (name for name, share in shares.items() if share > 1e-9), key=lambda n: counts.get(n, 0) - shares[n] * after
    )


def check_shares(shares: Mapping[str, float], counts: Mapping[str, int], what: str) -> None:
    """SourceError names the task that a file has too few rows of."""
    total = sum(counts.values())
    for name, share in shares.items():
        short = share * total - counts.get(name, 0)
        if name != ORDINARY and short > max(TOLERANCE * total, ROWS):
            needs = TASKS[name].needs if name in TASKS else NEEDS
            raise SourceError(
                f"data.sizes.tasks.{name} asks for {share:.1%} of {what}, and the text gives {counts.get(name, 0)} of "
                f"{total} rows: lower it, or add text; a row of it needs {needs}"
            )
