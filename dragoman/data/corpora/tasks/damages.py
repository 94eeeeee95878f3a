"""Translations damaged on purpose: each damage knows its place and its severity, so what is wrong is known exactly.

    reference -> words drawn -> each replaced by a damaged copy -> text, marks

Minor: letters exchanged or lost, a word said twice, a capital letter wrong. Major: a word left in the source language,
a word of another sentence, a number changed, a quarter of the words left out (which has no place to mark). Critical:
another sentence's translation, or the source itself. The score is MQM's: 1 for a minor error, 5 for a major one, 25 for
a critical one, at most 25 a segment (Freitag et al. 2021, arXiv 2104.14478), turned into 100 (nothing wrong) to 0.

A text with placeholders, tags or addresses is left alone: a typo in a placeholder is no minor error.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

from dragoman.text.scripts import is_spaceless

Severity = Literal["minor", "major", "critical"]
PENALTIES: dict[Severity, int] = {"minor": 1, "major": 5, "critical": 25}
WORST = 25
FEWEST_WORDS = 4
"""Words (or pairs of characters) of a text that can lose a quarter of them"""
_MARKED_UP = re.compile(r"[{}<>\\`|@]|%[\w(]|://|\$\w")
_SENTENCE_END = re.compile(r"[.!?…:]\W*$")
_WORD = re.compile(r"\b(?:[^\W\d_]{4,}|\d+)\b")
_PIECE = re.compile(r"[^\W\d_]{2}|\d+")


class Mark(NamedTuple):
    """A damaged place of a text, by character."""

    start: int
    end: int
    severity: Severity


@dataclass(frozen=True)
class Damaged:
    """A text with what was done to it."""

    text: str
    marks: tuple[Mark, ...] = ()
    unmarked: tuple[Severity, ...] = ()
    """Severities of errors that have no place"""

    @property
    def score(self) -> int:
        """From 100, nothing wrong, to 0."""
        found = [*(mark.severity for mark in self.marks), *self.unmarked]
        return 100 - 100 * min(WORST, sum(PENALTIES[one] for one in found)) // WORST


@dataclass(frozen=True)
class Words:
    """What words a damage may bring in."""

    source: tuple[str, ...]
    """Of the source text; none that the reference has"""
    strange: tuple[str, ...]
    """Of other translations; none of the reference or the source"""
    spaceless: bool
    sentence: bool
    """Whether the reference ends as sentences do: in headings and labels capital letters are a matter of style"""


Kind = Callable[[str, Words, Random], str | None]


def _exchanged(word: str, words: Words, random: Random) -> str | None:
    places = [n for n in range(1, len(word) - 2) if word[n].casefold() != word[n + 1].casefold()]
    if words.spaceless or not word.isalpha() or not places:
        return None
    n = random.choice(places)
    return word[:n] + word[n + 1] + word[n] + word[n + 2 :]


def _lost(word: str, words: Words, random: Random) -> str | None:
    if words.spaceless or not word.isalpha() or len(word) < 6:
        return None
    n = random.randrange(1, len(word) - 1)
    return word[:n] + word[n + 1 :]


def _repeated(word: str, words: Words, random: Random) -> str | None:
    return None if word.isdigit() else word + ("" if words.spaceless else " ") + word


def _capital(word: str, words: Words, random: Random) -> str | None:
    changed = word[0].swapcase() + word[1:]
    return changed if words.sentence and len(changed) == len(word) and not word.isupper() else None


def _untranslated(word: str, words: Words, random: Random) -> str | None:
    return _like(word, random.choice(words.source)) if words.source and not word.isdigit() else None


def _strange(word: str, words: Words, random: Random) -> str | None:
    return _like(word, random.choice(words.strange)) if words.strange and not word.isdigit() else None


def _like(word: str, new: str) -> str:
    """With the other's capital letter, which would give it away."""
    return new[0].upper() + new[1:] if word[0].isupper() else new


def _number(word: str, words: Words, random: Random) -> str | None:
    if not word.isascii() or not word.isdigit():
        return None
    n = random.randrange(len(word))
    return word[:n] + random.choice([d for d in "123456789" if d != word[n]]) + word[n + 1 :]


KINDS: dict[str, tuple[Kind, Severity]] = {
    "exchanged": (_exchanged, "minor"),
    "lost": (_lost, "minor"),
    "repeated": (_repeated, "minor"),
    "capital": (_capital, "minor"),
    "untranslated": (_untranslated, "major"),
    "strange": (_strange, "major"),
    "number": (_number, "major"),
}
WRITING = ("exchanged", "lost", "repeated", "capital")
"""Errors that can be seen without the source"""


def words_for(reference: str, source: str, others: Sequence[str]) -> Words:
    """The words that damages of a reference may bring in."""
    spaceless = is_spaceless(reference)
    known = {word.casefold() for word in _places(reference)} | {reference.casefold()}
    of_source = {w.casefold() for w in _places(source)}
    foreign = [w for w in _places(source) if _is_new(w, known, reference)]
    strange = [w for text in others for w in _places(text) if _is_new(w, known | of_source, reference)]
    return Words(
        tuple(dict.fromkeys(foreign)), tuple(dict.fromkeys(strange)), spaceless, bool(_SENTENCE_END.search(reference))
    )


def _is_new(word: str, known: set[str], reference: str) -> bool:
    return not word.isdigit() and word.casefold() not in known and word.casefold() not in reference.casefold()


def damaged(
    reference: str, words: Words, count: int, random: Random, kinds: Sequence[str] = tuple(KINDS)
) -> Damaged | None:
    """A text with `count` damaged words, at most half of its words; None where none can be, or it is marked up."""
    found = [] if _MARKED_UP.search(reference) else list(_pattern(reference).finditer(reference))
    count = min(count, max(1, len(found) // 2))
    changed: list[tuple[int, int, str, Severity]] = []
    for match in random.sample(found, len(found)):
        if len(changed) == count:
            break
        new, severity = _damage(match[0], words, random, kinds)
        if new is not None:
            changed.append((match.start(), match.end(), new, severity))
    return _joined(reference, sorted(changed)) if changed or (found and not count) else None


def _damage(word: str, words: Words, random: Random, kinds: Sequence[str]) -> tuple[str | None, Severity]:
    """A damaged copy of a word by the first kind that can, in random order."""
    for name in random.sample(list(kinds), len(kinds)):
        make, severity = KINDS[name]
        new = make(word, words, random)
        if new is not None and new != word:
            return new, severity
    return None, "minor"


def _joined(text: str, changed: Sequence[tuple[int, int, str, Severity]]) -> Damaged:
    pieces, marks, length, after = list[str](), list[Mark](), 0, 0
    for start, end, new, severity in changed:
        length += start - after
        pieces += [text[after:start], new]
        marks.append(Mark(length, length + len(new), severity))
        length, after = length + len(new), end
    return Damaged("".join([*pieces, text[after:]]), tuple(marks))


def is_marked_up(text: str) -> bool:
    """Whether it has placeholders, tags or addresses."""
    return bool(_MARKED_UP.search(text))


def is_damageable(text: str) -> bool:
    """Whether a text has words that can be damaged, and no markup."""
    return not is_marked_up(text) and bool(_pattern(text).search(text))


def shortened(reference: str, random: Random) -> Damaged | None:
    """A quarter of the words left out, in one run; None where there are too few."""
    spaceless = is_spaceless(reference)
    words = list(reference) if spaceless else reference.split()
    if len(words) < FEWEST_WORDS * (2 if spaceless else 1) or _MARKED_UP.search(reference):
        return None
    count = len(words) // 4
    start = random.randrange(len(words) - count)
    return Damaged(("" if spaceless else " ").join(words[:start] + words[start + count :]), unmarked=("major",))


def _pattern(text: str) -> re.Pattern[str]:
    return _PIECE if is_spaceless(text) else _WORD


def _places(text: str) -> list[str]:
    return [match[0] for match in _pattern(text).finditer(text)]
