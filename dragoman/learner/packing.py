"""Packing: sequences of unequal length become rows of one length, with nothing lost and no leak.

    sequences -> units (what must stay together, e.g. the two answers of a preference pair)
              -> rows, evenly filled -> micro-batches, the same number for every rank

A row holds several documents. Positions restart at 0 in each, which is how the attention mask knows the
documents apart (transformers builds the block-diagonal mask from the restarts; `dragoman.learner.forward`), so a
token never sees another document. Padding is a run of one-token documents and carries no loss.

Every per-token quantity travels as a *channel* of the same length as the tokens: `loss_mask`,
`advantages`, `behaviour_logprobs` and so on. Channel value t belongs to the prediction of token t.
Plain numpy: this runs in the driver and crosses actors.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dragoman.errors import DragomanError

Unit = tuple["TokenSequence", ...]
"""Sequences that one loss term needs together; they share a row."""


class SequenceTooLong(DragomanError):
    """A sequence does not fit into one row."""


@dataclass(frozen=True)
class TokenSequence:
    """One document: its tokens and its per-token channels."""

    token_ids: np.ndarray
    """int32 [T]"""
    channels: Mapping[str, np.ndarray] = field(default_factory=dict)
    """float32 [T] each; channel[t] belongs to the prediction of token t"""
    label: str = ""
    """Named in errors: the id of the row it came from."""


@dataclass(frozen=True)
class MicroBatch:
    """R packed rows of L tokens that one rank runs in one forward pass."""

    token_ids: np.ndarray
    """int64 [R, L], 0 where padded"""
    position_ids: np.ndarray
    """int64 [R, L], restarts at 0 in each document and at each padding token"""
    sequence_ids: np.ndarray
    """int64 [R, L], index of the document within the micro-batch, -1 where padded"""
    channels: Mapping[str, np.ndarray]
    """float32 [R, L] each, 0 where padded"""
    sequences: int
    """How many documents"""
    order: tuple[int, ...]
    """For each document its index in the list that was packed"""


def pack(units: Sequence[Unit], *, ranks: int, row_tokens: int, rows_per_micro_batch: int) -> list[list[MicroBatch]]:
    """Micro-batches for each rank, `[rank][step]`, holding every unit exactly once.

    All ranks get the same number of micro-batches (collectives need it), the shorter ones an empty row. A unit of
    several sequences that is longer than `row_tokens` gets longer rows; for attention's sake, which costs a row's
    square, not every batch should be laid out for the longest pair. Raises ValueError without units, and
    `SequenceTooLong` naming the row when a sequence is longer than `row_tokens`.
    """
    if not units:
        raise ValueError("nothing to pack: an optimiser step needs at least one sequence")
    rows = _fill_rows(units, row_tokens, ranks)
    starts = np.cumsum([0] + [len(unit) for unit in units])
    bins = ranks * max(1, -(-len(rows) // (ranks * rows_per_micro_batch)))
    batches = [_stack([[(units[u], int(starts[u])) for u in row] for row in rows[i::bins]]) for i in range(bins)]
    batches = _share_channels(batches)
    return [batches[rank::ranks] for rank in range(ranks)]


def padding_share(batches: Sequence[Sequence[MicroBatch]]) -> float:
    """Share of packed positions that hold no token."""
    pads = sum(int((b.sequence_ids < 0).sum()) for rank in batches for b in rank)
    return pads / max(1, sum(b.sequence_ids.size for rank in batches for b in rank))


def unpack(batches: Sequence[Sequence[MicroBatch]], values: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Per-token values `[rank][step][R, L]` back in the order and lengths of the packed sequences."""
    found: dict[int, np.ndarray] = {}
    for rank_batches, rank_values in zip(batches, values, strict=True):
        for batch, value in zip(rank_batches, rank_values, strict=True):
            flat_ids, flat = batch.sequence_ids.ravel(), np.asarray(value).ravel()
            for local, index in enumerate(batch.order):
                found[index] = flat[flat_ids == local]
    return [found[i] for i in range(len(found))]


def check_fits(sequence: TokenSequence, row_tokens: int) -> None:
    """Raise `SequenceTooLong` when a sequence fits no row."""
    if len(sequence.token_ids) > row_tokens:
        raise SequenceTooLong(
            f"{sequence.label or 'a sequence'} needs {len(sequence.token_ids)} tokens, a row holds {row_tokens}; "
            "shorten it or raise learner.row_tokens"
        )


def _fill_rows(units: Sequence[Unit], row_tokens: int, ranks: int) -> list[list[int]]:
    """Indices of units per row: as few rows as fit, a multiple of the ranks, evenly filled.

    Longest first, each into the emptiest row (Graham's rule). Even rows leave little padding, and a multiple of the
    ranks leaves no rank waiting for another's extra row.
    """
    lengths = [sum(len(s.token_ids) for s in unit) for unit in units]
    order = sorted(range(len(units)), key=lambda i: (-lengths[i], i))
    for unit in units:
        for sequence in unit:
            check_fits(sequence, row_tokens)
    row_tokens = max(row_tokens, lengths[order[0]])
    count = -(-max(1, -(-sum(lengths) // row_tokens)) // ranks) * ranks
    while (rows := _spread(order, lengths, count, row_tokens)) is None:
        count += ranks
    return rows


def _spread(order: Sequence[int], lengths: Sequence[int], count: int, row_tokens: int) -> list[list[int]] | None:
    rows: list[list[int]] = [[] for _ in range(count)]
    emptiest = [(0, row) for row in range(count)]
    for index in order:
        filled, row = heapq.heappop(emptiest)
        if filled + lengths[index] > row_tokens:
            return None
        rows[row].append(index)
        heapq.heappush(emptiest, (filled + lengths[index], row))
    return rows


def _stack(rows: Sequence[Sequence[tuple[Unit, int]]]) -> MicroBatch:
    flat = [[(s, start + k) for unit, start in row for k, s in enumerate(unit)] for row in rows] or [[]]
    width = max(1, *(sum(len(s.token_ids) for s, _ in row) for row in flat))
    shape = (len(flat), width)
    names = sorted({name for row in flat for s, _ in row for name in s.channels})
    tokens, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    owners = np.full(shape, -1, np.int64)
    channels = {name: np.zeros(shape, np.float32) for name in names}
    order: list[int] = []
    for r, row in enumerate(flat):
        at = 0
        for sequence, index in row:
            end = at + len(sequence.token_ids)
            tokens[r, at:end] = sequence.token_ids
            positions[r, at:end] = np.arange(end - at)
            owners[r, at:end] = len(order)
            for name, value in sequence.channels.items():
                channels[name][r, at:end] = value
            order.append(index)
            at = end
    return MicroBatch(tokens, positions, owners, channels, len(order), tuple(order))


def _share_channels(batches: list[MicroBatch]) -> list[MicroBatch]:
    """Every micro-batch gets every channel (zeros where it had none), so ranks run the same code."""
    names = sorted({name for batch in batches for name in batch.channels})
    return [
        MicroBatch(
            b.token_ids, b.position_ids, b.sequence_ids,
            {name: b.channels.get(name, np.zeros(b.token_ids.shape, np.float32)) for name in names},
            b.sequences, b.order,
        )
        for b in batches
    ]  # fmt: skip
