"""Multi-parallel sentences: templates with slots, filled alike in every language, split without leakage.

A `Combination` (a template and the abstract values of its slots) is one meaning; `render` writes it in a
language. Its split is a hash of the combination itself, so a meaning that is held out is held out in every
language and direction, whatever the sizes asked for. Templates in `HELD_OUT_TEMPLATES` occur in evaluation
only.

Flow: `draw_combinations(split, count)` -> `render(combination, language)` -> rows in training.py and suites.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from string import Formatter
from typing import Literal

from dragoman.data.quickstart.directions import PIVOT
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.slots import render_slot, slot_kind

Split = Literal["train", "preference", "rl", "development", "eval"]
"""train serves continued pretraining, fine-tuning and language-aware tuning; the rest serve one each."""

SPLIT_SHARES: dict[Split, float] = {
    "train": 0.58,
    "preference": 0.07,
    "rl": 0.14,
    "development": 0.06,
    "eval": 0.15,
}
HELD_OUT_TEMPLATES = ("travel_weekday", "trip_costs", "course_date")
"""Recombinations of words and slots that training templates have; seen in evaluation only."""


@dataclass(frozen=True)
class Combination:
    """One meaning: a template and its slot values."""

    template: str
    values: tuple[tuple[str, str], ...]
    """(slot, abstract value) in the template's order."""

    @property
    def key(self) -> str:
        """A stable identity, independent of any language."""
        return "|".join([self.template, *(f"{slot}={value}" for slot, value in self.values)])


def split_of(key: str, seed: int) -> Split:
    """The split of an identity: its hash, as a point on the line of `SPLIT_SHARES`."""
    digest = hashlib.sha256(f"{seed}|{key}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    for name, share in SPLIT_SHARES.items():
        if point < share:
            return name
        point -= share
    return "eval"


@cache
def slots_of(template: str) -> tuple[str, ...]:
    """Slot names of a template, in the pivot language's order."""
    sentence = LANGUAGES[PIVOT].sentences[template]
    return tuple(field for _, field, _, _ in Formatter().parse(sentence) if field)


def training_templates() -> tuple[str, ...]:
    """Templates that training may use."""
    return tuple(name for name in LANGUAGES[PIVOT].sentences if name not in HELD_OUT_TEMPLATES)


def draw_combination(template: str, random: Random) -> Combination:
    """A random combination of slot values for `template`."""
    return Combination(template, tuple((slot, slot_kind(slot).draw(random)) for slot in slots_of(template)))


def render(combination: Combination, language: str) -> str:
    """The sentence of a combination in `language`."""
    filled = {slot: render_slot(slot, value, language) for slot, value in combination.values}
    return LANGUAGES[language].sentences[combination.template].format(**filled)


def _stream(templates: tuple[str, ...], random: Random) -> Iterator[Combination]:
    while True:
        for template in random.sample(templates, len(templates)):
            yield draw_combination(template, random)


def draw_combinations(
    split: Split, count: int, *, seed: int, random: Random, templates: tuple[str, ...] | None = None
) -> list[Combination]:
    """`count` different combinations of a split, balanced over the templates as far as they reach.

    Raises ValueError when the split holds fewer than `count` (a tiny template set, or a huge count).
    """
    found: dict[str, Combination] = {}
    misses = 0
    for combination in _stream(templates or training_templates(), random):
        if len(found) >= count:
            break
        wanted = split_of(combination.key, seed) == split and combination.key not in found
        misses = 0 if wanted else misses + 1
        if wanted:
            found[combination.key] = combination
        if misses > 20_000:
            raise ValueError(
                f"split {split!r} holds only {len(found)} sentence combinations, {count} were asked for: "
                "lower that size, or add slot values or templates"
            )
    return list(found.values())
