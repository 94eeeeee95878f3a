"""Multi-parallel sentences: templates with slots, filled alike in every language, split without leakage.

A `Combination` (a template and the abstract values of its slots) is one meaning; `render` writes it in a
language. Its split is a hash of the combination itself, so a meaning that is held out is held out in every
language and direction, whatever the sizes asked for. Templates in `HELD_OUT_TEMPLATES` occur in evaluation
only.

Flow: `draw_combinations(split, count)` -> `render(combination, language)` -> rows in training.py and suites.py.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from string import Formatter
from typing import Generic, Literal, NamedTuple, TypeVar

from dragoman.data.quickstart.directions import PIVOT
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.slots import render_slot, slot_kind

T = TypeVar("T")
Split = Literal["train", "preference", "rl", "development", "eval"]
"""train serves continued pretraining, fine-tuning and language-aware tuning; the rest serve one each."""

SPLIT_SHARES: dict[Split, float] = {
    "train": 0.58,
    "preference": 0.07,
    "rl": 0.14,
    "development": 0.06,
    "eval": 0.15,
}
PATIENCE = 20_000
"""Draws in a row without anything new after which a split counts as exhausted"""
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


class Draft(NamedTuple, Generic[T]):
    """Something drawn that is made only if its split is the one wanted: most drafts belong to another."""

    key: str
    make: Callable[[], T]
    split: Split | None = None
    """The split of a question that is not dealt by its hash"""


def draw_new(
    drafts: Iterable[Draft[T]],
    split: Split,
    count: int,
    *,
    seed: int,
    task: str,
    things: str = "prompts",
    text: Callable[[T], str],
    exclude: frozenset[str] = frozenset(),
    most: int | None = None,
) -> list[T]:
    """The first `count` of a split whose `text` is new and not in `exclude`, at most `most` of one key.

    Raises ValueError, which names `task` and `things`, when the split holds fewer (a tiny table, or a huge count).
    """
    found: dict[str, T] = {}
    times: Counter[str] = Counter()
    misses = 0
    for draft in drafts:
        if len(found) >= count:
            break
        misses += 1
        if (draft.split or split_of(draft.key, seed)) == split and (most is None or times[draft.key] < most):
            made = draft.make()
            if text(made) not in found and text(made) not in exclude:
                found[text(made)] = made
                times[draft.key] += 1
                misses = 0
        if misses > PATIENCE:
            raise ValueError(
                f"split {split!r} of {task} holds only {len(found)} {things}, {count} were asked for: lower that size"
            )
    return list(found.values())


def _combinations(templates: tuple[str, ...], random: Random) -> Iterator[Draft[Combination]]:
    while True:
        for template in random.sample(templates, len(templates)):
            drawn = Combination(template, tuple((slot, slot_kind(slot).draw(random)) for slot in slots_of(template)))
            yield Draft(drawn.key, lambda drawn=drawn: drawn)  # type: ignore[misc]


def draw_combinations(
    split: Split, count: int, *, seed: int, random: Random, templates: tuple[str, ...] | None = None
) -> list[Combination]:
    """`count` different combinations of a split, balanced over the templates as far as they reach."""
    drafts = _combinations(templates or training_templates(), random)
    return draw_new(
        drafts, split, count, seed=seed, task="translation", things="combinations", text=lambda found: found.key
    )


def render(combination: Combination, language: str) -> str:
    """The sentence of a combination in `language`."""
    filled = {slot: render_slot(slot, value, language) for slot, value in combination.values}
    return LANGUAGES[language].sentences[combination.template].format(**filled)
