"""Weights between processes that share a GPU, by CUDA IPC handles: a copy on the GPU, nothing through the host.

Every learner rank has an end and deposits on its own GPU; a place has one handle for each GPU, by its identity, and a
worker takes that of its own, as in vLLM's IPC transfer; handles are pickled, since they hold types that vLLM's calls to
its processes do not carry. Each of the two buffers is exported once and opened once, and
that opening is kept: torch counts exports against openings, and a buffer opened more often is never given back.
"""

import pickle
from collections.abc import Sequence
from typing import Any

import torch
from torch.multiprocessing.reductions import rebuild_cuda_tensor, reduce_tensor

from dragoman.learner.device import current_device, device_identity, wait_for_device

BUFFERS = 2
DEVICE_ARGUMENT = 6
"""Where `reduce_tensor` puts the number of the GPU, which is another one in each process"""


class IpcEnd:
    """See `End`; runs on a machine with a GPU only (tests/gpu)."""

    def __init__(self) -> None:
        self._turn = 0
        self._buffers: list[tuple[torch.Tensor, bytes] | None] = [None] * BUFFERS
        self._opened: dict[bytes, torch.Tensor] = {}

    def send(self, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, dict[str, bytes]]:
        """Into the buffer that was not used last; returns when it is there."""
        elements, dtype = sum(len(part) for part in parts), parts[0].dtype
        size = elements * parts[0].element_size()
        held = self._buffers[self._turn % BUFFERS]
        if held is None or held[0].numel() < size:
            buffer = torch.empty(size, dtype=torch.uint8, device=current_device())
            held = self._buffers[self._turn % BUFFERS] = buffer, pickle.dumps(reduce_tensor(buffer)[1])
        self._turn += 1
        flat = held[0][:size].view(dtype)
        torch.cat([part.to(current_device()) for part in parts], out=flat)
        wait_for_device()
        return flat, {device_identity(): held[1]}

    def receive(self, elements: int, dtype: torch.dtype, place: dict[str, bytes]) -> torch.Tensor:
        """A copy on this worker's GPU."""
        handle = place.get(device_identity())
        if handle is None:
            raise RuntimeError(
                f"no learner rank left weights on this worker's GPU ({device_identity()}), only on {sorted(place)}; "
                "rollout.transport=ipc needs rollout.colocate"
            )
        if handle not in self._opened:
            arguments: list[Any] = list(pickle.loads(handle))  # of our own learner
            arguments[DEVICE_ARGUMENT] = current_device().index
            self._opened[handle] = rebuild_cuda_tensor(*arguments)
        copy = self._opened[handle][: elements * dtype.itemsize].view(dtype).clone()
        wait_for_device()
        return copy
