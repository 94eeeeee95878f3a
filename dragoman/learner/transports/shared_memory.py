"""Weights through shared memory, for a learner and engines on one node: one copy in, one copy out, no sockets.

The learner keeps two nameless segments (`memfd_create`), each of the size of the largest bucket that it has held, as
long as the channel is open. Engines open them by way of `/proc/<learner>/fd/<number>`. A segment without a name cannot
be left behind: the kernel frees it with the last process that holds it, however that ends. Nor does it need room in
/dev/shm, which in containers is 64 MiB by default.
"""

import itertools
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

Place = tuple[int, int, int, int]
"""Process, file descriptor in it, number of the segment, bytes in it"""
SEGMENTS = 2


@dataclass
class Segment:
    """Nameless memory of this process that others can open."""

    number: int
    size: int
    descriptor: int = field(init=False)
    memory: mmap.mmap = field(init=False)

    def __post_init__(self) -> None:
        self.descriptor = os.memfd_create("dragoman-weights", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, self.size)
        self.memory = mmap.mmap(self.descriptor, self.size)

    def __del__(self) -> None:
        # only the number: tensors over the mapping may live on, and it goes with the last of them
        os.close(self.descriptor)


class SharedMemoryEnd:
    """See `End`."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._segments: list[Segment | None] = [None] * SEGMENTS
        self._opened: dict[int, tuple[Place, mmap.mmap]] = {}

    def send(self, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, Place]:
        """Into the segment that was not used last."""
        elements, dtype = sum(len(part) for part in parts), parts[0].dtype
        turn, size = next(self._numbers), elements * parts[0].element_size()
        segment = self._segments[turn % SEGMENTS]
        if segment is None or segment.size < size:
            segment = self._segments[turn % SEGMENTS] = Segment(turn, size)
        flat = torch.frombuffer(segment.memory, dtype=dtype, count=elements)
        torch.cat([part.cpu() for part in parts], out=flat)
        return flat, (os.getpid(), segment.descriptor, segment.number, segment.size)

    def receive(self, elements: int, dtype: torch.dtype, place: Place) -> torch.Tensor:
        """A copy: what loads weights may keep them until a layer is complete, and the segment is used again."""
        process, descriptor, number, size = place
        known = self._opened.get(number % SEGMENTS)
        if known is None or known[0] != place:
            known = self._opened[number % SEGMENTS] = place, _open(process, descriptor, size)
        return torch.frombuffer(known[1], dtype=dtype, count=elements).clone()


def _open(process: int, descriptor: int, size: int) -> mmap.mmap:
    try:
        file = os.open(f"/proc/{process}/fd/{descriptor}", os.O_RDWR)
    except OSError as error:
        raise RuntimeError(
            f"the weights that process {process} holds in shared memory cannot be opened ({error.strerror}): it is "
            "gone, or on another node; with engines on several nodes set rollout.transport=gloo"
        ) from error
    try:
        return mmap.mmap(file, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
    finally:
        os.close(file)
