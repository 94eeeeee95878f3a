"""What travels on the way from the learner to the rollout engines, whatever the transport: buckets.

A bucket is one flat tensor, whatever the number of parameters in it; a parameter that does not fit goes on in the next
bucket, so that neither end ever holds more than two buckets and a parameter. Both ends add up the bucket's bits, and
the sums are compared when a version is committed. `dragoman.learner.transports` is how it travels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from operator import itemgetter
from typing import Any

import torch

from dragoman.learner.adapters import AdapterBase
from dragoman.learner.trainer import Sent
from dragoman.learner.transports import End


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
    adapters: AdapterBase | None = None
    """What the pieces are factors of (adapters.py); None: they are whole weights"""

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters of which it holds something, in order."""
        return tuple(piece.name for piece in self.pieces)

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return sum(piece.end - piece.begin for piece in self.pieces)

    @property
    def bytes(self) -> int:
        """On the way."""
        return self.elements * torch.empty((), dtype=getattr(torch, self.dtype)).element_size()


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


def send(end: End, bucket: Bucket, tensors: Sequence[torch.Tensor]) -> Sent:
    """Send one bucket, of whose parameters these are the tensors. Raises RuntimeError when the channel is broken."""
    parts = [_part(tensor, piece) for tensor, piece in zip(tensors, bucket.pieces, strict=True)]
    flat, place = end.send(parts)
    return Sent(checksum(flat), place)


def _part(tensor: torch.Tensor, piece: Piece) -> torch.Tensor:
    if tuple(tensor.shape) != piece.shape:
        raise RuntimeError(f"{piece.name} has the shape {tuple(tensor.shape)}, planned {piece.shape}")
    return tensor.detach().reshape(-1)[piece.begin : piece.end]


def receive(
    end: End, bucket: Bucket, begun: dict[str, torch.Tensor], place: Any = None
) -> tuple[list[tuple[str, torch.Tensor]], int]:
    """The named tensors that are complete with one bucket, and its checksum. `begun` keeps those that go on."""
    flat = end.receive(bucket.elements, getattr(torch, bucket.dtype), place)
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
