"""Rows of other tasks among the translations of sft.jsonl: what keeps a translation specialist a general model.

    general: {chats.jsonl: 0.5, math: 0.2, constraints: 0.08}      # shares of the rows of sft; 0.22 are left

A share is of a file of conversations (docs/data.md), or of a task whose rows are generated as the catalogs' are. How
many rows that makes is known before one is written: the translations that there are, or `sft`, set the total. Tower+
(arXiv 2506.17080) fine-tunes on 22 % translation. Of rl a share asks for tasks of reasoning-gym, `reasoning: 0.2`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from dragoman.data.catalogs.general import quickstart_items, sums
from dragoman.data.catalogs.identity import Split
from dragoman.data.catalogs.items import Item, chat_row
from dragoman.data.catalogs.reasoning import reasoning_items
from dragoman.data.corpora.segments import InputError
from dragoman.data.mixtures import counts_by_share
from dragoman.data.rows import read_conversations

Row = dict[str, Any]
Shares = Mapping[str, float]
TRANSLATION = "translation"
MATH_LANGUAGES = ("en",)
GENERATED: Mapping[str, Callable[[int, int], Iterable[Item]]] = {
    "math": lambda count, seed: islice(sums("train", MATH_LANGUAGES, seed, Random(f"{seed}|corpus|sft|math")), count),
    "code": lambda count, seed: quickstart_items("code", "train", count, "corpus|sft", seed),
    "constraints": lambda count, seed: quickstart_items("constraints", "train", count, "corpus|sft", seed),
}
"""Rows of the training split by their number and the seed"""


def general_files(shares: Shares) -> list[Path]:
    """The files among the names that have a share."""
    return [Path(name).expanduser() for name in shares if name not in GENERATED]


def check_shares(shares: Shares) -> None:
    """ValueError for a share that is none, for shares that leave no translation, for a name that is nothing known."""
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"the share of {name!r} is {share:g}; it must be above 0 and below 1")
        if name not in GENERATED and not name.endswith(".jsonl"):
            raise ValueError(f"{name!r} is neither a file of JSON lines nor one of {', '.join(GENERATED)}")
    if sum(shares.values()) > 0.99:
        raise ValueError(f"shares sum to {sum(shares.values()):g}; at least 0.01 must be left for translation")


def counts_of(shares: Shares, translations: int, most: int) -> dict[str, int]:
    """Rows by name, of translation too: `most` in all, or as many as the translations there are allow."""
    rest = 1 - sum(shares.values())
    total = min(most, int(translations / rest + 1e-9))
    counts = counts_by_share({TRANSLATION: rest, **shares}, total)
    return {**counts, TRANSLATION: min(counts[TRANSLATION], translations)}


def with_general(translated: Iterable[Item], translations: int, shares: Shares, most: int, seed: int) -> Iterator[Row]:
    """Rows of sft.jsonl: translations with those of other tasks among them, in an order that the seed draws.

    InputError, before a row is given, for a file or a task that has fewer rows than its share.
    """
    counts = counts_of(shares, translations, most)
    streams: dict[str, Iterator[Callable[[str], Row]]] = {
        TRANSLATION: (_written(item) for item in translated),
        **{name: iter(_rows_of(name, counts[name], seed)) for name in shares},
    }
    order = [name for name, count in counts.items() for _ in range(count)]
    Random(f"{seed}|corpus|sft|general").shuffle(order)
    return (next(streams[name])(f"sft-{n:07}") for n, name in enumerate(order))


def with_reasoning(items: Iterable[Item], share: float, tasks: Sequence[str], seed: int) -> Iterator[Item]:
    """Items of rl with tasks of reasoning-gym evenly among them: `share` of what has come by then."""
    extra = reasoning_items("rl", tasks, seed, Random(f"{seed}|corpus|rl|reasoning"))
    asked = 0
    for own, item in enumerate(items):
        while asked + 1 <= share * (own + asked + 1):
            yield next(extra)
            asked += 1
        yield item


def reasoning_suite(split: Split, tasks: Sequence[str], count: int, seed: int) -> list[Item]:
    """Questions of a split that figures are reported on, or settings are chosen by."""
    return list(islice(reasoning_items(split, tasks, seed, Random(f"{seed}|corpus|{split}|reasoning")), count))


def _rows_of(name: str, count: int, seed: int) -> list[Callable[[str], Row]]:
    if name in GENERATED:
        try:
            return [_written(item) for item in GENERATED[name](count, seed)]
        except ValueError as error:
            raise InputError(f"data.sizes.general: {error}") from None
    path = Path(name).expanduser()
    found = read_conversations(path)
    if len(found) < count:
        raise InputError(
            f"{path} has {len(found)} conversations, and its share of sft takes {count}; lower data.sizes.sft or the "
            "share"
        )
    drawn = Random(f"{seed}|corpus|sft|{path.name}").sample(found, count)
    return [
        lambda identifier, row=row: {  # type: ignore[misc]
            "id": identifier, "task": row.task, "messages": [*row.messages],
            "provenance": row.provenance or path.name, "licence": row.licence,
        }
        for row in drawn
    ]  # fmt: skip


def _written(item: Item) -> Callable[[str], Row]:
    return lambda identifier: chat_row(identifier, item)
