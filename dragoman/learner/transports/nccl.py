"""Weights between GPUs by NCCL: the group that vLLM's own weight transfer opens, with our buckets on it.

NCCL has no deadline: a member that dies in a broadcast leaves the others in it. Ray tells the driver of the death, and
the ranks that hang are noticed at `learner.deadline_s`. Where that is too late, gloo is the way.
"""

from collections.abc import Sequence

import torch
from vllm.distributed.weight_transfer.nccl_common import stateless_init_process_group

from dragoman.learner.device import current_device, wait_for_device
from dragoman.learner.trainer import Channel


class NcclEnd:
    """See `End`; runs on a machine with GPUs only (tests/gpu)."""

    def __init__(self, channel: Channel, rank: int) -> None:
        self._group = stateless_init_process_group(channel.host, channel.port, rank, channel.world, current_device())

    def send(self, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, None]:
        """Broadcast from this rank's GPU."""
        flat = torch.cat([part.to(current_device()) for part in parts])
        self._broadcast(flat)
        return flat, None

    def receive(self, elements: int, dtype: torch.dtype, place: None) -> torch.Tensor:
        """Take part in the broadcast; the result is on this worker's GPU."""
        flat = torch.empty(elements, dtype=dtype, device=current_device())
        self._broadcast(flat)
        return flat

    def _broadcast(self, flat: torch.Tensor) -> None:
        self._group.broadcast(flat, src=0)
        wait_for_device()
