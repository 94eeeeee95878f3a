"""Filters that judge each segment by itself, in worker processes: piece by piece, in the order of the segments.

A worker says of each segment of a piece which of its filters finds the first fault. What has a memory or a model stays
with the caller (`Funnel`), so funnel and rows are those of one process. A few pieces are on their way at a time: what
is read waits for the filters. Workers are spawned, not forked: the driver may hold threads of Ray and of Arrow.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice

from dragoman.data.corpora.filters import Filter
from dragoman.data.corpora.segments import InputError, Segment

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
    coming = iter(segments)
    begun = list(islice(coming, few + 1)) if processes > 1 and filters else []
    if len(begun) > few:
        yield from _by_workers(chain(begun, coming), filters, processes)
    else:
        yield from ((segment, None) for segment in chain(begun, coming))


def _by_workers(
    segments: Iterator[Segment], filters: Mapping[str, Filter], processes: int
) -> Iterator[tuple[Segment, Faults]]:
    from ray import cloudpickle  # takes filters of extensions along by value

    content = cloudpickle.dumps(dict(filters))
    context = multiprocessing.get_context("spawn")
    under_way: deque[tuple[list[Segment], Future[list[Faults]]]] = deque()
    with ProcessPoolExecutor(processes, context, _hold, (content,)) as pool:
        while piece := list(islice(segments, PIECE)):
            under_way.append((piece, pool.submit(_faults, piece)))
            if len(under_way) > 2 * processes:
                yield from _answered(*under_way.popleft())
        while under_way:
            yield from _answered(*under_way.popleft())


def _answered(piece: list[Segment], future: Future[list[Faults]]) -> Iterator[tuple[Segment, Faults]]:
    try:
        faults = future.result()
    except BrokenProcessPool:
        raise InputError(
            f"a process that filters died before {piece[0].place} was judged (memory may have run out); lower "
            "data.sizes.processes"
        ) from None
    yield from zip(piece, faults, strict=True)


_held: Mapping[str, Filter] = {}
"""A worker's filters"""


def _hold(content: bytes) -> None:
    from ray import cloudpickle

    global _held
    _held = cloudpickle.loads(content)


def _faults(piece: list[Segment]) -> list[Faults]:
    return [_first_fault(segment) for segment in piece]


def _first_fault(segment: Segment) -> Faults:
    for name, one in _held.items():
        if (reason := one.fault(segment)) is not None:
            return {name: reason}
    return {}
