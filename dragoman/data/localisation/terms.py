"""Terms of a direction: of a glossary that a team has, or the short texts of the parallel text itself.

A memory or a catalog translates `Settings` as `Einstellungen` somewhere on its own, and uses both in longer texts:
where a longer source has the one and its reference the other, the pair is a term of that text. Terms of a direction are
found by the words of the source, whatever their number.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from dragoman.data.rows import ParallelPair
from dragoman.text.normalisation import normalised
from rewards.translation.instructions import follows

LONGEST, SHORTEST = 3, 4
"""Words of a term at most, letters at least"""
MOST_CHARACTERS = 40
TRIES = 4
"""Terms drawn for one that has nothing to do with a text"""
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
Direction = tuple[str, str]


@dataclass(frozen=True, order=True)
class Term:
    """A term and its rendering."""

    source: str
    target: str

    @property
    def shown(self) -> str:
        """As a prompt has it."""
        return f"{self.source} = {self.target}"


@dataclass
class Termbase:
    """Terms by direction and by the words of their source."""

    found: dict[Direction, dict[tuple[str, ...], Term]] = field(default_factory=dict)
    _lists: dict[Direction, list[tuple[tuple[str, ...], Term]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, pairs: Iterable[ParallelPair], *, chosen: bool) -> "Termbase":
        """Terms of pairs: all of a glossary that somebody has `chosen`, else the pairs that are short enough."""
        base = cls()
        for pair in pairs:
            words = _words(pair.source) if chosen or len(pair.source) <= MOST_CHARACTERS else ()
            if words and (chosen or _is_term(words, pair)):
                base.found.setdefault(pair.direction, {}).setdefault(
                    words, Term(pair.source.strip(), pair.target.strip())
                )
        return base

    def with_more(self, other: "Termbase") -> "Termbase":
        """These terms, and another's where these have none of the same words."""
        directions = {*self.found, *other.found}
        return Termbase({d: {**other.found.get(d, {}), **self.found.get(d, {})} for d in directions})

    def inside(self, source: str, target: str, direction: Direction) -> list[Term]:
        """Terms of a text whose reference uses their rendering; none that stands within a longer one."""
        known, words, taken = self.found.get(direction, {}), _words(source), 0
        terms: list[Term] = []
        for start in range(len(words)):
            if start < taken:
                continue
            for width in range(min(_longest(known), len(words) - start), 0, -1):
                term = known.get(words[start : start + width])
                if term is not None and width < len(words) and _is_used(term, source, target):
                    terms.append(term)
                    taken = start + width
                    break
        return list(dict.fromkeys(terms))

    def others(self, source: str, direction: Direction, count: int, random: Random) -> list[Term]:
        """At most so many terms that have no word in common with a text."""
        words, known = set(_words(source)), self._listed(direction)
        drawn = random.sample(known, min(len(known), TRIES * count))
        return [term for key, term in drawn if not words.intersection(key)][:count]

    def _listed(self, direction: Direction) -> list[tuple[tuple[str, ...], Term]]:
        found = self.found.get(direction, {})
        if len(self._lists.get(direction, ())) != len(found):
            self._lists[direction] = list(found.items())
        return self._lists.get(direction, [])


def terms_in(text: str, terms: Sequence[Term]) -> list[Term]:
    """Those of some terms that a text has, as whole words."""
    found = f" {' '.join(_words(text))} "
    return [term for term in terms if f" {' '.join(_words(term.source))} " in found]


def _is_term(words: tuple[str, ...], pair: ParallelPair) -> bool:
    return (
        len(words) <= LONGEST and sum(map(len, words)) >= SHORTEST and len(_words(pair.target)) <= LONGEST
        and " ".join(words) == " ".join(normalised(pair.source).lower().split())
        and words != _words(pair.target) and bool(_words(pair.target))
    )  # fmt: skip


def _is_used(term: Term, source: str, target: str) -> bool:
    asked = {"terms": [{"source": term.source, "target": term.target}]}
    return follows(target, "mt:glossary", asked, source) is True


def _longest(known: dict[tuple[str, ...], Term]) -> int:
    return min(LONGEST, max(map(len, known), default=0)) if known else 0


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(normalised(text)))
