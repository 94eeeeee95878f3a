"""Translations under rules (dragoman.data.localisation) as a suite: of any parallel text, judged by programs.

A question is a row, or a document of some rows of one direction; `terms` in place of rules asks for each text three
times. A row whose reference shows too few rules, or does not earn its own reward, gives no question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from dragoman.data.catalogs.items import Item, is_paid, suite_row
from dragoman.data.localisation import Instructed, Termbase, instructed
from dragoman.data.rows import ParallelPair

NEAR = 6
"""Rows of which a document may be made"""
Placed = tuple[ParallelPair, str]
"""A pair and where it stands"""


def instructed_rows(name: str, found: Sequence[Placed], glossary: Sequence[ParallelPair], seed: int) -> Iterator[Any]:
    """The questions of a suite as rows, in the order of the pairs; the same seed gives the same ones."""
    own = Termbase.of((pair for pair, _ in found), chosen=False)
    base = Termbase.of(glossary, chosen=True).with_more(own)
    by_direction: dict[tuple[str, str], list[Placed]] = {}
    for placed in found:
        by_direction.setdefault(placed[0].direction, []).append(placed)
    for direction, asked in sorted(by_direction.items()):
        random = Random(f"{seed}|{name}|{'-'.join(direction)}")
        for number, (_, place) in enumerate(asked):
            pairs = [pair for pair, _ in asked[number : number + NEAR]]
            made = instructed(pairs, base, random, english_only=True)
            item = made and _item(made, place)
            if item and is_paid(item):
                yield suite_row(f"{name}-{'-'.join(direction)}-{number:06}", item, name) | {"place": place}


def _item(made: Instructed, place: str) -> Item:
    task = made.task
    columns = {
        "source_language": task.source_language, "target_language": task.target_language, "source": task.source,
        "reference": task.target,
    }  # fmt: skip
    return Item("mt_instructions", place, made.prompt, made.answer, made.rewards, columns, place, "", "file")
