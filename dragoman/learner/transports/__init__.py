"""How a bucket of weights gets from the learner to the engines: one file a transport, two methods each.

A member of a channel holds an `End`. The learner's is rank 0 (with `ipc` every learner rank has one), those of the
engines' workers the ranks behind it. There are two kinds:

    meeting     gloo, nccl                 all members call at the same time; a bucket travels while they do
    depositing  shared_memory, ipc         the learner leaves a bucket somewhere and says where (`place`); engines
                                           fetch it when they are asked to, while the learner fills the next place

Nobody who deposits waits for anybody, so a dead engine can hold up no one but the driver, who hears of its death from
Ray. A place is used again two buckets later: the driver asks for that one only when all have fetched.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from dragoman.learner.trainer import Channel


class End(Protocol):
    """A member's end of a channel. Both methods raise RuntimeError when the channel is broken."""

    def send(self, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, Any]:
        """Put flat tensors of one dtype behind each other on their way; what was sent, and the place to fetch it."""

    def receive(self, elements: int, dtype: torch.dtype, place: Any) -> torch.Tensor:
        """What was sent, [elements], in memory of its own."""


def open_end(channel: Channel, rank: int) -> End:
    """Join as `rank`; where members meet, blocks until all are there or until the deadline."""
    if channel.transport == "gloo":
        from dragoman.learner.transports.gloo import GlooEnd

        return GlooEnd(channel, rank)
    if channel.transport == "shared_memory":
        from dragoman.learner.transports.shared_memory import SharedMemoryEnd

        return SharedMemoryEnd()
    if channel.transport == "nccl":
        from dragoman.learner.transports.nccl import NcclEnd

        return NcclEnd(channel, rank)
    if channel.transport == "ipc":
        from dragoman.learner.transports.ipc import IpcEnd

        return IpcEnd()
    raise ValueError(f"{channel.transport!r} is no transport of weights")
