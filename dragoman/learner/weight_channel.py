"""The channel on which weights travel from the learner to the rollout engines.

A gloo group of its own (rank 0 = the learner, 1..N = engine workers), outside torch's global state. It is never mended:
when a member dies the kernel closes its sockets and the others' broadcast fails at once, when one hangs theirs fails at
the deadline; whoever failed drops its end, which lets go of those that wait for it, and a new group is opened. A
bucket is one flat tensor and one broadcast, whatever the number of parameters in it; a parameter that does not fit goes
on in the next bucket, so that neither end ever holds more than a bucket and a parameter. Both ends add up the
bucket's bits, and the sums are compared when a version is committed. On a GPU the bucket is staged through
host memory: the same code on every machine, at the price of a copy (vLLM's own NCCL transfer is the
faster way there and fits behind the same calls).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from math import prod
from operator import itemgetter
from typing import Any

import torch
from torch.distributed import PrefixStore, ProcessGroupGloo, TCPStore

from dragoman.learner.trainer import Channel


@dataclass(frozen=True)
class Piece:
    """Consecutive elements of a parameter."""

    name: str
    shape: tuple[int, ...]
    """Of the whole parameter"""
    begin: int
    end: int

    @property
    def is_whole(self) -> bool:
        """All of the parameter."""
        return self.begin == 0 and self.is_last

    @property
    def is_last(self) -> bool:
        """No piece of the parameter comes behind it."""
        return self.end == prod(self.shape)


@dataclass(frozen=True)
class Bucket:
    """What travels together, all of one dtype."""

    pieces: tuple[Piece, ...]
    dtype: str

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters of which it holds something, in order."""
        return tuple(piece.name for piece in self.pieces)

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return sum(piece.end - piece.begin for piece in self.pieces)


def plan_buckets(parameters: Iterable[tuple[str, tuple[int, ...], str]], limit_bytes: int) -> list[Bucket]:
    """As few buckets as parameters of these names, shapes and dtypes fit into: all are full but the last of a dtype."""
    buckets: list[Bucket] = []
    for dtype, own in groupby(parameters, key=itemgetter(2)):
        limit = max(1, limit_bytes // torch.empty((), dtype=getattr(torch, dtype)).element_size())
        pieces: list[Piece] = []
        room = limit
        for name, shape, _ in own:
            begin, count = 0, prod(shape)
            while begin < count:
                end = min(count, begin + room)
                pieces.append(Piece(name, tuple(shape), begin, end))
                room -= end - begin
                begin = end
                if not room:
                    buckets.append(Bucket(tuple(pieces), dtype))
                    pieces, room = [], limit
        if pieces:
            buckets.append(Bucket(tuple(pieces), dtype))
    return buckets


def open_channel(channel: Channel, rank: int) -> Any:
    """Join as `rank`; blocks until all members are there, or until the deadline."""
    world, deadline, first = channel.world, timedelta(seconds=channel.deadline_s), rank == 0
    store = TCPStore(channel.host, channel.port, world, is_master=first, timeout=deadline, wait_for_workers=False)
    return ProcessGroupGloo(PrefixStore("dragoman-weights", store), rank, world, deadline)


def send(channel: Any, bucket: Bucket, tensors: Sequence[torch.Tensor]) -> int:
    """Broadcast one bucket, of whose parameters these are the tensors; returns its checksum."""
    flat = torch.cat([_part(tensor, piece) for tensor, piece in zip(tensors, bucket.pieces, strict=True)]).contiguous()
    channel.broadcast(flat, 0).wait()
    return checksum(flat)


def _part(tensor: torch.Tensor, piece: Piece) -> torch.Tensor:
    if tuple(tensor.shape) != piece.shape:
        raise RuntimeError(f"{piece.name} has the shape {tuple(tensor.shape)}, planned {piece.shape}")
    return tensor.detach().reshape(-1)[piece.begin : piece.end].cpu()


def receive(channel: Any, bucket: Bucket, begun: dict[str, torch.Tensor]) -> tuple[list[tuple[str, torch.Tensor]], int]:
    """The named tensors that are complete with one bucket, and its checksum. `begun` keeps those that go on."""
    flat = torch.empty(bucket.elements, dtype=getattr(torch, bucket.dtype))
    channel.broadcast(flat, 0).wait()
    named, at = [], 0
    for piece in bucket.pieces:
        part = flat[at : at + piece.end - piece.begin]
        at += len(part)
        if not piece.is_whole:
            whole = begun.setdefault(piece.name, flat.new_empty(prod(piece.shape)))
            whole[piece.begin : piece.end] = part
            part = whole
        if piece.is_last:
            begun.pop(piece.name, None)
            named.append((piece.name, part.view(piece.shape)))
    return named, checksum(flat)


def checksum(flat: torch.Tensor) -> int:
    """Sum of the tensor's bits read as integers; any flipped or missing number changes it."""
    width = {2: torch.int16, 4: torch.int32}[flat.element_size()]
    return int(flat.view(width).sum(dtype=torch.int64))
