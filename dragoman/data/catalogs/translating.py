"""Translations as items: plain ones, and ones under instructions that can be verified.

An instruction is offered where the reference itself shows it: a placeholder that is kept, an address that is formal. So
each right answer follows all of its instructions, and `items.is_paid` makes sure.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from dragoman.data.catalogs.items import Item, Reward, item_of
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.settings import Direction
from dragoman.data.catalogs.wordings import translation_prompt
from dragoman.text.languages import base_code
from dragoman.text.markup import has_tags
from rewards.translation.formality import MARKERS, address_levels
from rewards.translation.instructions import follows
from rewards.translation.preservation import find_placeholders


@dataclass(frozen=True)
class Asked:
    """One verifiable instruction in words, and what it makes of the answer."""

    id: str
    text: str
    kwargs: dict[str, Any]
    shape: Callable[[str], str] = str


def translation_item(meaning: Meaning, direction: Direction, random: Random, *, english_only: bool = False) -> Item:
    """A meaning to be translated, under a wording drawn at random."""
    source, target = (meaning.texts[code] for code in direction)
    prompt = translation_prompt(direction, source, random, english_only=english_only)
    rewards = (chrf_reward(target), direction_gate(direction))
    return item_of(meaning, "translation", prompt, target, rewards, **_pair(meaning, direction))


def instructed_item(meaning: Meaning, direction: Direction, random: Random) -> Item | None:
    """A translation under one or two instructions; None where the texts offer none."""
    source, target = (meaning.texts[code] for code in direction)
    offered = list(_offered(source, target, direction[1], random))
    asked = random.sample(offered, min(len(offered), random.choice((1, 1, 2))))
    if not asked or {"mt:output_format", "mt:no_commentary"} <= {one.id for one in asked}:
        return None  # an object is no bare translation
    prompt = translation_prompt(direction, source, random, english_only=True)
    answer = target
    for one in asked:
        answer = one.shape(answer)
    instructions = [{"id": one.id, "kwargs": one.kwargs} for one in asked]
    rewards = (
        {"kind": "mt_instructions", "weight": 1, "args": {"instructions": instructions}},
        chrf_reward(answer),
        direction_gate(direction),
    )
    told = " ".join(one.text for one in asked)
    return item_of(meaning, "mt_instructions", f"{told}\n{prompt}", answer, rewards, **_pair(meaning, direction))


def _offered(source: str, target: str, language: str, random: Random) -> Iterator[Asked]:
    if find_placeholders(source):
        yield Asked("mt:placeholders", "Keep every placeholder as it is.", {})
    if has_tags(source):
        yield Asked("mt:tags", "Keep every tag as it is.", {})
    if any(c.isdigit() for c in source) and follows(target, "mt:numbers", source=source):
        yield Asked("mt:numbers", "Keep every number.", {})
    if names := _kept_names(source, target):
        name = random.choice(names)
        yield Asked("mt:do_not_translate", f"Do not translate the name {name}.", {"terms": [name]})
    if base_code(language) in MARKERS and len(levels := address_levels(target, base_code(language))) == 1:
        level = next(iter(levels))
        text = {"formal": "Address the reader formally.", "informal": "Address the reader informally."}[level]
        yield Asked("mt:formality", text, {"language": base_code(language), "level": level})
    most = (len(target) // 10 + 2) * 10
    yield Asked("mt:max_characters", f"Use at most {most} characters.", {"max_characters": most})
    if follows(target, "mt:no_commentary", source=source):
        yield Asked("mt:no_commentary", "Answer with the translation only, without any comment.", {})
    key = random.choice(("translation", "text", "target"))
    yield Asked(
        "mt:output_format",
        f'Answer as a JSON object with the key "{key}".',
        {"format": "json", "keys": [key]},
        lambda text: json.dumps({key: text}, ensure_ascii=False),
    )


def _kept_names(source: str, target: str) -> list[str]:
    """Words of both texts that begin with a capital letter inside the source."""
    words = [word.strip(".,;:!?()\"'") for word in source.split()[1:]]
    return sorted({w for w in words if len(w) > 2 and w.isalpha() and w[0].isupper() and w in target.split()})


def chrf_reward(reference: str) -> Reward:
    return {"kind": "chrf", "weight": 1, "args": {"reference": reference}}


def direction_gate(direction: Direction) -> Reward:
    return {"kind": "direction", "weight": 1, "gate": True, "args": {"source": direction[0], "target": direction[1]}}


def _pair(meaning: Meaning, direction: Direction) -> dict[str, str]:
    source, target = direction
    return {
        "source_language": source,
        "target_language": target,
        "source": meaning.texts[source],
        "reference": meaning.texts[target],
    }
