"""Packing: sequences of unequal length become rows of one length, with nothing lost and no leak.

    sequences -> units (what must stay together, e.g. the two answers of a preference pair)
              -> rows, evenly filled -> micro-batches, the same number for every rank

A row holds several documents. Positions restart at 0 in each, which is how the attention mask knows the
documents apart (transformers builds the block-diagonal mask from the restarts; `dragoman.learner.forward`), so a
token never sees another document. Padding is a run of one-token documents and carries no loss.

The answers to one prompt need its tokens only once: eight answers as long as their prompt are nine parts to run, not
sixteen. Where `share_prompts` says that attention can do it (`dragoman.learner.packed_attention`), sequences with the
same tokens before their first loss lie in one row, the first of them whole and the others without their prompt:
a document whose positions start at p > 0 continues the first p tokens of the last one before it that starts at 0.

Every per-token quantity travels as a *channel* of the same length as the tokens: `loss_mask`,
`advantages`, `behaviour_logprobs` and so on. Channel value t belongs to the prediction of token t.
Plain numpy: this runs in the driver and crosses actors.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dragoman.errors import DragomanError

Unit = tuple["TokenSequence", ...]
"""Sequences that one loss term needs together; they share a row."""
SHORTEST_SHARED = 8
"""Tokens of a prompt from which on it is shared; that all documents begin with one token makes no family of them"""
NO_PROMPT = np.empty(0, np.int32)


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

    def with_channels(self, channels: Mapping[str, np.ndarray]) -> "TokenSequence":
        """The same tokens with channels added or replaced."""
        return TokenSequence(self.token_ids, {**self.channels, **channels}, self.label)


@dataclass(frozen=True)
class MicroBatch:
    """R packed rows of L tokens that one rank runs in one forward pass."""

    token_ids: np.ndarray
    """int64 [R, L], 0 where padded"""
    position_ids: np.ndarray
    """int64 [R, L], restarts in each document: at 0, or behind the prompt that it shares; 0 where padded"""
    sequence_ids: np.ndarray
    """int64 [R, L], index of the document within the micro-batch, -1 where padded; a shared prompt is the first's"""
    channels: Mapping[str, np.ndarray]
    """float32 [R, L] each, 0 where padded"""
    sequences: int
    """How many documents"""
    order: tuple[int, ...]
    """For each document its index in the list that was packed"""


def pack(
    units: Sequence[Unit], *, ranks: int, row_tokens: int, rows_per_micro_batch: int, share_prompts: bool = False
) -> list[list[MicroBatch]]:
    """Micro-batches for each rank, `[rank][step]`, holding every unit exactly once.

    All ranks get the same number of micro-batches (collectives need it), the shorter ones an empty row. A unit of
    several sequences that is longer than `row_tokens` gets longer rows; for attention's sake, which costs a row's
    square, not every batch should be laid out for the longest pair. Raises ValueError without units, and
    `SequenceTooLong` naming the row when a sequence is longer than `row_tokens`.
    """
    if not units:
        raise ValueError("nothing to pack: an optimiser step needs at least one sequence")
    for unit in units:
        for sequence in unit:
            check_fits(sequence, row_tokens)
    rows = _fill_rows(units, row_tokens, ranks, share_prompts)
    starts = np.cumsum([0] + [len(unit) for unit in units])
    placed = [[(s, int(starts[u]) + k) for u in row for k, s in enumerate(units[u])] for row in rows]
    bins = ranks * max(1, -(-len(rows) // (ranks * rows_per_micro_batch)))
    batches = [_stack(placed[i::bins], share_prompts) for i in range(bins)]
    batches = _share_channels(batches)
    return [batches[rank::ranks] for rank in range(ranks)]


def padding_share(batches: Sequence[Sequence[MicroBatch]]) -> float:
    """Share of packed positions that hold no token."""
    pads = sum(int((b.sequence_ids < 0).sum()) for rank in batches for b in rank)
    return pads / max(1, sum(b.sequence_ids.size for rank in batches for b in rank))


def unpack(batches: Sequence[Sequence[MicroBatch]], values: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Per-token values `[rank][step][R, L]` back in the order and lengths of the packed sequences.

    They are 0 on a prompt that another sequence holds.
    """
    found: dict[int, np.ndarray] = {}
    for rank_batches, rank_values in zip(batches, values, strict=True):
        for batch, value in zip(rank_batches, rank_values, strict=True):
            flat_ids, positions, flat = (np.asarray(a).ravel() for a in (batch.sequence_ids, batch.position_ids, value))
            for local, index in enumerate(batch.order):
                here = flat_ids == local
                found[index] = np.pad(flat[here], (int(positions[here][0]), 0))
    return [found[i] for i in range(len(found))]


def check_fits(sequence: TokenSequence, row_tokens: int) -> None:
    """Raise `SequenceTooLong` when a sequence fits no row."""
    if len(sequence.token_ids) > row_tokens:
        raise SequenceTooLong(
            f"{sequence.label or 'a sequence'} needs {len(sequence.token_ids)} tokens, a row holds {row_tokens}; "
            "shorten it or raise learner.row_tokens"
        )


def _fill_rows(units: Sequence[Unit], row_tokens: int, ranks: int, share_prompts: bool) -> list[list[int]]:
    """Indices of units per row: as few rows as fit, a multiple of the ranks, evenly filled.

    Longest first, each into the emptiest row (Graham's rule). Even rows leave little padding, and a multiple of the
    ranks leaves no rank waiting for another's extra row. Units with one prompt are dealt together, in parts no longer
    than an evenly filled row.
    """
    prompts = [_common_prompt(unit) if share_prompts else NO_PROMPT for unit in units]
    own = [sum(len(s.token_ids) - len(p) for s in unit) for unit, p in zip(units, prompts, strict=True)]
    families = _families(prompts)
    total = sum(len(prompts[family[0]]) + sum(own[u] for u in family) for family in families)
    count = -(-max(1, -(-total // row_tokens)) // ranks) * ranks
    limit = -(-total // count)
    parts = [p for family in families for p in _parts(family, own, limit - len(prompts[family[0]]))]
    lengths = [len(prompts[part[0]]) + sum(own[u] for u in part) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (-lengths[i], i))
    row_tokens = max(row_tokens, lengths[order[0]])
    while (rows := _spread(order, lengths, count, row_tokens)) is None:
        count += ranks
    return [[u for part in row for u in parts[part]] for row in rows]


def _families(prompts: Sequence[np.ndarray]) -> list[list[int]]:
    """Indices of units with one prompt; each one without is alone."""
    found: dict[bytes | int, list[int]] = {}
    for index, prompt in enumerate(prompts):
        found.setdefault(prompt.tobytes() if len(prompt) else index, []).append(index)
    return list(found.values())


def _parts(family: Sequence[int], own: Sequence[int], limit: int) -> list[list[int]]:
    """A family in parts whose own tokens are at most `limit`, or which are one unit."""
    parts: list[list[int]] = [[]]
    room = limit
    for index in family:
        if parts[-1] and own[index] > room:
            parts.append([])
            room = limit
        parts[-1].append(index)
        room -= own[index]
    return parts


def _common_prompt(unit: Unit) -> np.ndarray:
    """The prompt of all sequences of a unit; none where they differ."""
    first, *others = (_prompt(sequence) for sequence in unit)
    return first if all(np.array_equal(first, other) for other in others) else NO_PROMPT


def _prompt(sequence: TokenSequence) -> np.ndarray:
    """The tokens before a sequence's first loss, if they can be shared; else none."""
    trained = sequence.channels["loss_mask"] != 0 if "loss_mask" in sequence.channels else np.zeros(1, bool)
    length = int(trained.argmax()) if trained.any() else 0
    return sequence.token_ids[:length] if length >= SHORTEST_SHARED else NO_PROMPT


def _shared_starts(sequences: Iterable[TokenSequence]) -> list[int]:
    """Of each sequence of a row how many tokens at its start it leaves to the last whole one before it."""
    found, whole = [], NO_PROMPT
    for sequence in sequences:
        prompt = _prompt(sequence)
        found.append(len(prompt) if np.array_equal(prompt, whole) else 0)
        whole = prompt
    return found


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


def _stack(rows: Sequence[Sequence[tuple[TokenSequence, int]]], share_prompts: bool) -> MicroBatch:
    """Rows of sequences, each with its index in the list that was packed."""
    rows = rows or [[]]
    starts = [_shared_starts(s for s, _ in row) if share_prompts else [0] * len(row) for row in rows]
    width = max(1, *(sum(len(s.token_ids) for s, _ in row) - sum(cut) for row, cut in zip(rows, starts, strict=True)))
    shape = (len(rows), width)
    names = sorted({name for row in rows for s, _ in row for name in s.channels})
    tokens, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    owners = np.full(shape, -1, np.int64)
    channels = {name: np.zeros(shape, np.float32) for name in names}
    order: list[int] = []
    for r, row in enumerate(rows):
        at = 0
        for (sequence, index), start in zip(row, starts[r], strict=True):
            end = at + len(sequence.token_ids) - start
            tokens[r, at:end] = sequence.token_ids[start:]
            positions[r, at:end] = np.arange(start, len(sequence.token_ids))
            owners[r, at:end] = len(order)
            for name, value in sequence.channels.items():
                channels[name][r, at:end] = value[start:]
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
