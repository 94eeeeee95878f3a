"""Translations as items: plain ones, and ones under rules (dragoman.data.localisation)."""

from random import Random

from dragoman.data.catalogs.items import Item, Reward, item_of
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.settings import Direction
from dragoman.data.catalogs.wordings import translation_prompt
from dragoman.data.localisation import Termbase, instructed
from dragoman.data.rows import ParallelPair
from dragoman.text.wordings import Position


def translation_item(
    meaning: Meaning, direction: Direction, random: Random, position: Position, *, english_only: bool = False
) -> Item:
    """A meaning to be translated, under a wording drawn at random."""
    source, target = (meaning.texts[code] for code in direction)
    prompt = translation_prompt(direction, source, random, english_only=english_only, position=position)
    rewards = (chrf_reward(target), direction_gate(direction))
    return item_of(meaning, "translation", prompt, target, rewards, **_pair(meaning, direction))


def instructed_item(meaning: Meaning, direction: Direction, random: Random) -> Item | None:
    """A translation under two to four rules that its reference shows; None where it shows too few."""
    pair = ParallelPair(*direction, *(meaning.texts[code] for code in direction))
    made = instructed([pair], Termbase(), random)
    if made is None:
        return None
    return item_of(meaning, "mt_instructions", made.prompt, made.answer, made.rewards, **_pair(meaning, direction))


def chrf_reward(reference: str | list[str]) -> Reward:
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
