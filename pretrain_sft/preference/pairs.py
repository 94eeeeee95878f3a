"""Pairs of answers: how they are made, written and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dragoman.data.rows import DataError
from dragoman.files import read_lines, write_lines


@dataclass(frozen=True)
class Answer:
    """One sampled answer with its reward."""

    token_ids: tuple[int, ...]
    text: str
    reward: float


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, the first better by at least the margin."""

    id: str
    prompt_ids: tuple[int, ...]
    chosen: Answer
    rejected: Answer
    heldout: bool


def ranked_pairs(
    answers: Sequence[Answer], *, margin: float, minimum: float = 0.0, most: int = 1
) -> list[tuple[Answer, Answer]]:
    """The best answer of one prompt against up to `most` different ones that earn less by more than `margin`.

    The worst come first, so `most=1` gives best and worst. None when the best earns less than `minimum`.
    """
    if not answers:
        return []
    best = max(answers, key=lambda a: (a.reward, -len(a.token_ids)))
    if best.reward < minimum:
        return []
    worse = {a.token_ids: a for a in answers if best.reward - a.reward > margin}
    ranked = sorted(worse.values(), key=lambda a: (a.reward, abs(len(a.token_ids) - len(best.token_ids))))
    return [(best, other) for other in ranked[:most]]


def check_pairs(pairs: Sequence[Pair]) -> None:
    """Raise `DataError` unless there are pairs to train on and pairs to measure on."""
    heldout = sum(pair.heldout for pair in pairs)
    if not heldout or heldout == len(pairs):
        raise DataError(
            f"only {len(pairs) - heldout} training and {heldout} held-out preference pairs were found; raise "
            "preference.prompts or preference.samples, or lower preference.margin"
        )


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Atomically, one JSON line a pair."""
    write_lines(path, (asdict(pair) for pair in pairs))


def read_pairs(path: Path) -> list[Pair]:
    """What `write_pairs` wrote."""
    return list(_read(path))


def _read(path: Path) -> Iterator[Pair]:
    for _, row in read_lines(path):
        chosen, rejected = (
            Answer(tuple(given["token_ids"]), given["text"], given["reward"])
            for given in (row["chosen"], row["rejected"])
        )
        yield Pair(row["id"], tuple(row["prompt_ids"]), chosen, rejected, row["heldout"])
