"""Weights by broadcast in a gloo group, through host memory: between any two machines, tested everywhere.

The group is outside torch's global state and is never mended: when a member dies the kernel closes its sockets and the
others' broadcast fails at once, when one hangs theirs fails at the deadline; whoever failed drops its end, which lets
go of those that wait for it, and a new group is opened.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import torch
from torch.distributed import PrefixStore, ProcessGroupGloo, TCPStore

from dragoman.learner.trainer import Channel


class GlooEnd:
    """See `End`."""

    def __init__(self, channel: Channel, rank: int) -> None:
        world, deadline, first = channel.world, timedelta(seconds=channel.deadline_s), rank == 0
        store = TCPStore(channel.host, channel.port, world, is_master=first, timeout=deadline, wait_for_workers=False)
        self._group: Any = ProcessGroupGloo(PrefixStore("dragoman-weights", store), rank, world, deadline)

    def send(self, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, None]:
        """Broadcast; a tensor on a GPU is staged through host memory."""
        flat = torch.cat([part.cpu() for part in parts])
        self._group.broadcast(flat, 0).wait()
        return flat, None

    def receive(self, elements: int, dtype: torch.dtype, place: None) -> torch.Tensor:
        """Take part in the broadcast."""
        flat = torch.empty(elements, dtype=dtype)
        self._group.broadcast(flat, 0).wait()
        return flat
