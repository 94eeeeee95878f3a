"""Terms of a direction: of a glossary that a team has, or the short texts of the parallel text itself.

A memory or a catalog translates `Settings` as `Einstellungen` somewhere on its own, and uses both in longer texts:
where a longer source has the one and its reference the other, the pair is a term of that text. Terms of a direction are
found by the words of the source, whatever the number of terms; in scripts without spaces by every few characters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from dragoman.data.rows import ParallelPair
from dragoman.text.normalisation import normalised
from dragoman.text.segmentation import SPACELESS
from rewards.translation.instructions import follows

LONGEST, SHORTEST = 3, 4
"""Words of a term at most, letters at least"""
MOST_CHARACTERS = 40
TRIES = 4
"""Terms drawn for one that has nothing to do with a text"""
MOST_SIGNS = 12
"""Of a term in a script without spaces"""
_SPACELESS = re.compile(f"[{SPACELESS}]")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
Direction = tuple[str, str]
Words = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Term:
    """A term and its rendering."""

    source: str
    target: str

    @property
    def shown(self) -> str:
        """As a prompt has it."""
        return f"{self.source} = {self.target}"


class Termbase:
    """Terms by direction and by the words of their source."""

    def __init__(self, found: Mapping[Direction, dict[Words, Term]] | None = None) -> None:
        self.found = dict(found or {})
        self._listed = {direction: list(terms.items()) for direction, terms in self.found.items()}
        self._longest = {direction: max(map(len, terms)) for direction, terms in self.found.items() if terms}

    @classmethod
    def of(cls, pairs: Iterable[ParallelPair], *, chosen: bool) -> "Termbase":
        """Terms of pairs: all of a glossary that somebody has `chosen`, else the pairs that are short enough."""
        found: dict[Direction, dict[Words, Term]] = {}
        for pair in pairs:
            words = _words(pair.source) if chosen or len(pair.source) <= MOST_CHARACTERS else ()
            if words and (chosen or _is_term(words, pair)):
                found.setdefault(pair.direction, {}).setdefault(words, Term(pair.source.strip(), pair.target.strip()))
        return cls(found)

    def with_more(self, other: "Termbase") -> "Termbase":
        """These terms, and another's where these have none of the same words."""
        directions = {*self.found, *other.found}
        return Termbase({d: {**other.found.get(d, {}), **self.found.get(d, {})} for d in directions})

    def inside(self, source: str, target: str, direction: Direction) -> list[Term]:
        """Terms of a text whose reference uses their rendering; none that is the whole text, or within a longer one."""
        known, words = self.found.get(direction, {}), _words(source)
        keys = dict.fromkeys(key for key in _pieces(words, self._longest.get(direction, 0)) if key in known)
        used = [key for key in keys if key != words and _is_used(known[key], source, target)]
        return [known[key] for key in used if not any(_is_within(key, other) for other in used if other != key)]

    def others(self, source: str, direction: Direction, count: int, random: Random) -> list[Term]:
        """At most so many terms that have no word in common with a text."""
        words, known = set(_words(source)), self._listed.get(direction, [])
        drawn = random.sample(known, min(len(known), TRIES * count))
        return [term for key, term in drawn if not words.intersection(key)][:count]


def terms_in(text: str, terms: Sequence[Term]) -> list[Term]:
    """Those of some terms that a text has, as whole words."""
    known = {_words(term.source): term for term in terms}
    found = _pieces(_words(text), max(map(len, known), default=0))
    return list(dict.fromkeys(known[key] for key in found if key in known))


def _pieces(words: Words, longest: int) -> Iterator[Words]:
    """Every run of words in their order; of a word in a script without spaces every piece, too."""
    for start in range(len(words)):
        for width in range(1, min(longest, len(words) - start) + 1):
            yield words[start : start + width]
        word = words[start]
        if _SPACELESS.search(word):
            for begin in range(len(word)):
                yield from ((word[begin:end],) for end in range(begin + 1, min(len(word), begin + MOST_SIGNS) + 1))


def _is_within(key: Words, other: Words) -> bool:
    """Whether the words of one term stand in those of another."""
    if len(key) == len(other) == 1:
        return _SPACELESS.search(other[0]) is not None and key[0] in other[0]
    return any(other[n : n + len(key)] == key for n in range(len(other) - len(key) + 1))


def _is_term(words: Words, pair: ParallelPair) -> bool:
    """Whether a pair is short enough on both sides, nothing but words, and not the same on both."""
    bare = " ".join(words) == " ".join(normalised(pair.source).lower().split())
    return bare and words != _words(pair.target) and _is_short(words) and _is_short(_words(pair.target))


def _is_short(words: Words) -> bool:
    letters = "".join(words)
    if _SPACELESS.search(letters):
        return SHORTEST / 2 <= len(letters) <= MOST_SIGNS
    return len(words) <= LONGEST and len(letters) >= SHORTEST


def _is_used(term: Term, source: str, target: str) -> bool:
    asked = {"terms": [{"source": term.source, "target": term.target}]}
    return follows(target, "mt:glossary", asked, source) is True


def _words(text: str) -> Words:
    return tuple(word.lower() for word in _WORD.findall(normalised(text)))
