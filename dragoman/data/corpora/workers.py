"""Work on each of many segments by itself, in worker processes: piece by piece, in the order of the segments.

Filters: a worker says of each segment which of its filters finds the first fault. What has a memory or a model stays
with the caller (`Funnel`), so funnel and rows are those of one process. Rows: a worker makes those of a segment
(`ordinary`). A few pieces are on their way at a time: what is read waits for the workers. They are spawned, not forked:
the driver may hold threads of Ray and of Arrow.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeVar

from dragoman.data.corpora.filters import Filter
from dragoman.data.corpora.segments import InputError, Segment

T = TypeVar("T")
R = TypeVar("R")
Faults = Mapping[str, str]
"""The first fault of a segment, if it has one: what is wrong, by the name of the filter"""
FEW = 20_000
"""Segments up to which starting workers takes longer than they save"""
PIECE = 1_000
MOST = 8
"""Processes unless a recipe says more: reading and the filters with a memory are one process's work"""


def machine_processes() -> int:
    """The cores that this process may use, up to `MOST`."""
    return min(MOST, len(os.sched_getaffinity(0)))


def judged(
    segments: Iterable[Segment], filters: Mapping[str, Filter], processes: int, few: int = FEW
) -> Iterator[tuple[Segment, Faults | None]]:
    """Each segment with what workers found; None where it was not given to any, for there are few or one process."""
    many, coming = _many(segments, processes if filters else 1, few)
    if many:
        yield from _by_workers(coming, FirstFault(dict(filters)), processes, lambda segment: segment.place)
    else:
        yield from ((segment, None) for segment in coming)


def worked(
    items: Iterable[T], work: Callable[[T], R], processes: int, place: Callable[[T], str], few: int = FEW
) -> Iterator[R]:
    """What `work`, which must be picklable, makes of each item, in their order; `place` names one in an error."""
    many, coming = _many(items, processes, few)
    yield from (made for _, made in _by_workers(coming, work, processes, place)) if many else map(work, coming)


@dataclass(frozen=True)
class FirstFault:
    """What the first of some filters says that leaves a segment out."""

    filters: Mapping[str, Filter]

    def __call__(self, segment: Segment) -> Faults:
        """See the class."""
        for name, one in self.filters.items():
            if (reason := one.fault(segment)) is not None:
                return {name: reason}
        return {}


def _many(items: Iterable[T], processes: int, few: int) -> tuple[bool, Iterator[T]]:
    """Whether there are enough for several processes, and all of them."""
    coming = iter(items)
    begun = list(islice(coming, few + 1)) if processes > 1 else []
    return len(begun) > few, chain(begun, coming)


def _by_workers(
    items: Iterator[T], work: Callable[[T], R], processes: int, place: Callable[[T], str]
) -> Iterator[tuple[T, R]]:
    from ray import cloudpickle  # takes filters of extensions along by value

    context = multiprocessing.get_context("spawn")
    under_way: deque[tuple[list[T], Future[list[R]]]] = deque()
    pool = ProcessPoolExecutor(processes, context, _hold, (cloudpickle.dumps(work),))
    oldest: list[T] = []
    try:
        while (piece := list(islice(items, PIECE))) or under_way:
            oldest = under_way[0][0] if under_way else piece
            if piece:
                under_way.append((piece, pool.submit(_do, piece)))
            if not piece or len(under_way) > 2 * processes:
                oldest, future = under_way.popleft()
                yield from zip(oldest, future.result(), strict=True)
    except BrokenProcessPool:
        raise InputError(
            f"a process that prepares data died before it was done with {place(oldest[0])} (memory may have run out); "
            "lower data.sizes.processes"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_held: Callable[[Any], Any]
"""A worker's work"""


def _hold(content: bytes) -> None:
    from ray import cloudpickle

    global _held
    _held = cloudpickle.loads(content)


def _do(piece: list[Any]) -> list[Any]:
    return [_held(one) for one in piece]
