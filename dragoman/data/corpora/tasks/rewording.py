"""Saying the same in other words: two translations of one source are paraphrases of each other."""

import re
from random import Random

from dragoman.data.catalogs.identity import words_of
from dragoman.data.catalogs.items import Item
from dragoman.data.catalogs.translating import chrf_reward
from dragoman.data.corpora.tasks.base import Material, TaskKind
from dragoman.data.corpora.tasks.damages import is_marked_up
from dragoman.data.corpora.tasks.prompts import drawn_language, named, prompt
from dragoman.text.scripts import is_spaceless

MOST_SHARED, FEWEST_WORDS, LONGER = 0.6, 2, 2
"""Share of the words of the longer that both may have; words of either; the longer has fewer than so many times the
words of the shorter"""
STEM, SHORTEST = 4, 3
"""Letters by which words are compared, so that an ending makes no other word; letters of a word that counts. Where a
script has no spaces, characters stand for words"""


def paraphrase(material: Material, random: Random) -> list[Item]:
    """A translation that is to be said in other words; right is any other translation of its source in other
    words. chrF goes by the nearest of them, and a copy is worth nothing."""
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
    """Whether two texts that mean the same have different words, enough of them, are about as long, and have the same
    numbers."""
    one, two = (set(_pieces(each)) for each in (text, other))
    fewest, most = sorted((len(one), len(two)))
    differ = fewest >= FEWEST_WORDS and most < LONGER * fewest and len(one & two) <= MOST_SHARED * most
    return differ and _numbers(text) == _numbers(other)


def _pieces(text: str) -> list[str]:
    words = words_of(text)
    return list("".join(words)) if is_spaceless(text) else [word[:STEM] for word in words if len(word) >= SHORTEST]


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))


PARAPHRASE = TaskKind(
    "paraphrase", paraphrase,
    "another translation of the same source, in other words (of longer sources `near_duplicates` keeps one)",
    rendered=True,
)  # fmt: skip
