"""The channel on which weights travel from the learner to the rollout engines.

A gloo group of its own (rank 0 = the learner, 1..N = engine workers), outside torch's global state. It is never mended:
when a member dies the kernel closes its sockets and the others' broadcast fails at once, when one hangs theirs fails at
the deadline; whoever failed drops its end, which lets go of those that wait for it, and a new group is opened. A
bucket is one flat tensor and one broadcast, whatever the number of parameters in it; both ends add up the
bucket's bits, and the sums are compared when a version is committed. On a GPU the bucket is staged through
host memory: the same code on every machine, at the price of a copy (vLLM's own NCCL transfer is the
faster way there and fits behind the same calls).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch.distributed import PrefixStore, ProcessGroupGloo, TCPStore

from dragoman.learner.trainer import Channel


@dataclass(frozen=True)
class Bucket:
    """Parameters that travel together."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtype: str

    @property
    def elements(self) -> int:
        """How many numbers the bucket holds."""
        return sum(_count(shape) for shape in self.shapes)


def plan_buckets(parameters: Iterable[tuple[str, tuple[int, ...], str]], limit_bytes: int) -> list[Bucket]:
    """Consecutive parameters of one dtype, as many to a bucket as fit into `limit_bytes` (at least one)."""
    buckets: list[Bucket] = []
    names: list[str] = []
    shapes: list[tuple[int, ...]] = []
    current, size = "", 0
    for name, shape, dtype in parameters:
        nbytes = _count(shape) * torch.empty((), dtype=getattr(torch, dtype)).element_size()
        if names and (dtype != current or size + nbytes > limit_bytes):
            buckets.append(Bucket(tuple(names), tuple(shapes), current))
            names, shapes, size = [], [], 0
        names.append(name)
        shapes.append(tuple(shape))
        current, size = dtype, size + nbytes
    if names:
        buckets.append(Bucket(tuple(names), tuple(shapes), current))
    return buckets


def open_channel(channel: Channel, rank: int) -> Any:
    """Join as `rank`; blocks until all members are there, or until the deadline."""
    world, deadline, first = channel.world, timedelta(seconds=channel.deadline_s), rank == 0
    store = TCPStore(channel.host, channel.port, world, is_master=first, timeout=deadline, wait_for_workers=False)
    return ProcessGroupGloo(PrefixStore("dragoman-weights", store), rank, world, deadline)


def send(channel: Any, bucket: Bucket, tensors: Sequence[torch.Tensor]) -> int:
    """Broadcast one bucket; returns its checksum."""
    flat = torch.cat([tensor.detach().reshape(-1).cpu() for tensor in tensors]).contiguous()
    if flat.numel() != bucket.elements:
        raise RuntimeError(f"bucket of {bucket.names[0]} holds {flat.numel()} numbers, planned {bucket.elements}")
    channel.broadcast(flat, 0).wait()
    return checksum(flat)


def receive(channel: Any, bucket: Bucket) -> tuple[list[tuple[str, torch.Tensor]], int]:
    """The named tensors of one bucket, and its checksum."""
    flat = torch.empty(bucket.elements, dtype=getattr(torch, bucket.dtype))
    channel.broadcast(flat, 0).wait()
    named, at = [], 0
    for name, shape in zip(bucket.names, bucket.shapes, strict=True):
        named.append((name, flat[at : at + _count(shape)].view(shape)))
        at += _count(shape)
    return named, checksum(flat)


def checksum(flat: torch.Tensor) -> int:
    """Sum of the tensor's bits read as integers; any flipped or missing number changes it."""
    width = {2: torch.int16, 4: torch.int32}[flat.element_size()]
    return int(flat.view(width).sum(dtype=torch.int64))


def _count(shape: Sequence[int]) -> int:
    result = 1
    for side in shape:
        result *= side
    return result
