"""Saying the same in other words: two translations of one source are paraphrases of each other."""

from random import Random

from dragoman.data.catalogs.identity import words_of
from dragoman.data.catalogs.items import Item
from dragoman.data.catalogs.translating import chrf_reward
from dragoman.data.corpora.tasks.base import Material, TaskKind
from dragoman.data.corpora.tasks.damages import is_marked_up
from dragoman.data.corpora.tasks.prompts import drawn_language, named, prompt
from dragoman.text.scripts import is_spaceless

MOST_SHARED, FEWEST_WORDS, LONGER = 0.8, 3, 2
"""Share of the words of the longer that both may have; words of either; the longer has fewer than so many times the
words of the shorter. Where a script has no spaces these are characters"""


def paraphrase(material: Material, random: Random) -> list[Item]:
    """A translation that is to be said in other words; right is any other translation of its source that differs by
    more than its punctuation. chrF goes by the nearest of them, and a copy is worth nothing."""
    s = material.segment
    others = [text for text in material.renderings if is_rewording(s.target, text)]
    if not others or is_marked_up(s.target + " ".join(others)):
        return []
    answer = random.choice(others)
    language = drawn_language((s.target_language,), random)
    text = prompt("paraphrase", language, random, language=named(s.target_language, language), text=s.target)
    copied = {"kind": "source_copy", "weight": 1, "gate": True, "args": {"source": s.target, "reference": others}}
    language_gate = {"kind": "direction", "weight": 1, "gate": True, "args": {"target": s.target_language}}
    rewards = (chrf_reward(others), copied, language_gate)
    return [Item("paraphrase", material.question, text, answer, rewards, {}, s.provenance, s.licence, "segment")]


def is_rewording(text: str, other: str) -> bool:
    """Whether two texts that mean the same have different words, enough of them, and are about as long."""
    one, two = (set(_pieces(each)) for each in (text, other))
    fewest, most = sorted((len(one), len(two)))
    return fewest >= FEWEST_WORDS and most < LONGER * fewest and len(one & two) <= MOST_SHARED * most


def _pieces(text: str) -> tuple[str, ...]:
    words = words_of(text)
    return tuple("".join(words)) if is_spaceless(text) else words


PARAPHRASE = TaskKind(
    "paraphrase", paraphrase,
    "another translation of the same source, in other words (of longer sources `near_duplicates` keeps one)",
    rendered=True,
)  # fmt: skip
