"""Which texts are the same question, whatever catalog, language, name or number they come with; and their split.

Catalogs repeat themselves: "Set up your Foo device", "Set up your Bar device." and "set up your {name} device" ask for
one translation. `question_of` drops placeholders, tags, numbers, punctuation, case, and names (words that begin with a
capital letter inside a sentence), so all of these fall into one split. `words_of` keeps the names and tells copies
apart.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

Split = Literal["train", "preference", "rl", "development", "eval"]
SHARES: Mapping[Split, float] = {"train": 0.74, "preference": 0.06, "rl": 0.09, "development": 0.04, "eval": 0.07}
HELD_OUT_FIRST: tuple[Split, ...] = ("eval", "development", "rl", "preference", "train")
"""Of a text that would stand in several splits, the first one keeps it"""
_MARKUP = re.compile(r"\$?\{\{?[^{}]*\}?\}|%\([^)]*\)[a-z]|%\d*\$?[sdif]\b|<[^<>]*>|`[^`]*`|https?://\S+|\[%[^\]]*%\]")
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+")
FEWEST_WORDS = 3
"""A question of fewer words is its whole text: what is left would say too little"""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text: case folded, without placeholders, tags, numbers and punctuation."""
    plain = unicodedata.normalize("NFKC", _MARKUP.sub(" ", text)).casefold()
    return tuple(re.findall(r"[^\W\d_]+", plain))


def question_of(english: str) -> str:
    """What an English text asks to be translated, as words."""
    sentences = _SENTENCE.split(unicodedata.normalize("NFKC", _MARKUP.sub(" ", english)))
    kept = [word for sentence in sentences for word in _without_names(sentence)]
    return " ".join(kept if len(kept) >= FEWEST_WORDS else words_of(english))


def _without_names(sentence: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+", sentence)
    return [word.casefold() for place, word in enumerate(words) if place == 0 or not word[0].isupper()]


def cluster_of(question: str) -> str:
    """A short name of a question."""
    return hashlib.sha256(question.encode()).hexdigest()[:16]


def split_of(key: str, seed: int, shares: Mapping[Split, float] = SHARES) -> Split:
    """The split of an identity: its hash, as a point on the line of the shares."""
    point = _point(f"{seed}|catalogs|{key}")
    for name, share in shares.items():
        if point < share:
            return name
        point -= share
    return "train"


def is_among(key: str, share: float) -> bool:
    """Whether an identity is among a share of all."""
    return _point(key) < share


def _point(key: str) -> float:
    """The hash of a text as a point from 0 to 1."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
