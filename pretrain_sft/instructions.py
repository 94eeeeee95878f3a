"""Wrong instructions for language-aware tuning: the same text, asked for in another direction, in any wording.

    known wording            -> rendered again with the other direction
    names its languages      -> the names are replaced, in whichever language the instruction is written
    anything else            -> the words of another row's instruction around this row's text (arXiv 2403.14399's rule)

The last needs no knowledge of the wording at all, only that the instruction holds the text which is translated.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from dragoman.data.rows import Conversation, DataError, ParallelPair
from dragoman.text.languages import names_in
from dragoman.text.wordings import POSITIONS, TRANSLATION_WORDINGS, translation_instruction


@dataclass(frozen=True)
class Frame:
    """An instruction without the text that it is about."""

    head: str
    tail: str
    direction: tuple[str, str]

    def around(self, text: str) -> str:
        """The instruction about another text."""
        return f"{self.head}{text}{self.tail}"

    def asks_like(self, other: "Frame") -> bool:
        """Whether both are the same words."""
        return (self.head, self.tail) == (other.head, other.tail)


class WrongInstructions:
    """Draws one for each use of a row. DataError for a row that gets none by the rule."""

    def __init__(self, rows: Sequence[Conversation], rule: str) -> None:
        self.rule = rule
        self.directions = [pair_of(row).direction for row in rows]
        self.languages = sorted({code for direction in self.directions for code in direction})
        self.frames = sorted({f for row in rows if (f := frame_of(row))}, key=lambda f: (f.direction, f.head, f.tail))
        self.unnamed = {row.id for row in rows if not _renders(row)}
        """Rows whose wording cannot be given another language; they borrow that of another row"""
        self.fitting = cache(self._fitting)
        for row in rows:
            if self.rule == "other_instruction" or row.id in self.unnamed:
                self._borrowed(row, Random(0))

    def draw(self, row: Conversation, random: Random) -> str:
        """The user's message with a wrong direction."""
        if self.rule == "other_instruction" or row.id in self.unnamed:
            return self._borrowed(row, random)
        own = pair_of(row).direction
        if self.rule == "keep_source":
            return redirect(row, random.choice([code for code in self.languages if code not in own]))
        while True:
            source, target = random.choice(self.directions)
            if (source, target) != own and not (self.rule == "target_differs" and target == own[1]):
                return redirect(row, target, source)

    def _borrowed(self, row: Conversation, random: Random) -> str:
        own = frame_of(row)
        frames = self.fitting(own) if own else []
        if not frames:
            raise DataError(
                f"row {row.id}: the instruction does not name its target language {pair_of(row).target_language!r}, "
                f"and no other row's words can be put around its text by lat.negatives={self.rule}; the text must "
                "stand in the instruction as `source` has it, and another row must ask for another target"
            )
        return random.choice(frames).around(pair_of(row).source)

    def _fitting(self, own: Frame) -> list[Frame]:
        """The instructions of other rows that are wrong for a row by the rule."""
        source, target = own.direction
        wrong = {
            "keep_source": lambda f: f.direction[0] == source and f.direction[1] != target,
            "target_differs": lambda f: f.direction[1] != target,
            "any": lambda f: f.direction != own.direction,
            "other_instruction": lambda f: True,
        }[self.rule]
        return [frame for frame in self.frames if wrong(frame) and not frame.asks_like(own)]


def pair_of(row: Conversation) -> ParallelPair:
    """The translation that a row is; `read_conversations` made sure that it is one."""
    assert row.pair is not None
    return row.pair


def frame_of(row: Conversation) -> Frame | None:
    """The row's instruction around its text; None where the text does not stand in it."""
    head, found, tail = row.instruction.partition(pair_of(row).source)
    return Frame(head, tail, pair_of(row).direction) if found else None


def _renders(row: Conversation) -> bool:
    try:
        redirect(row, pair_of(row).target_language)
    except DataError:
        return False  # its words are borrowed instead, which is checked at once
    return True


def redirect(row: Conversation, target: str, source: str | None = None) -> str:
    """The row's instruction with another target (and source) language, in the same words.

    Known wordings are rendered again. In others the names of the languages are replaced, in whichever language of the
    row, or English, the target is named ("Brazilian Portuguese", "auf Deutsch"). Raises `DataError` when the
    instruction does not name its target language.
    """
    pair, content = pair_of(row), row.instruction
    old, new = pair.direction, (source or pair.source_language, target)
    for position, index in product(POSITIONS, range(len(TRANSLATION_WORDINGS))):
        if content == translation_instruction(*old, pair.source, index, position):
            return translation_instruction(*new, pair.source, index, position)
    head, found, tail = content.partition(pair.source)
    for locale in _locales(old, head + tail):
        if _named(names_in(old[1], locale), head + tail):
            changed = "".join(_renamed(part, old, new, locale) for part in (head, "\0" if found else "", tail))
            return changed.replace("\0", pair.source)
    raise DataError(f"row {row.id}: the instruction does not name its target language {old[1]!r}")


def _locales(direction: tuple[str, str], instruction: str) -> Iterator[str]:
    """In which language an instruction may name languages: English, those of the row, then any that names both."""
    likely = tuple(dict.fromkeys(("en", direction[1], direction[0])))
    yield from likely
    for locale in _all_locales():
        if locale not in likely and all(_named(names_in(code, locale), instruction) for code in direction):
            yield locale


@cache
def _all_locales() -> tuple[str, ...]:
    from babel.localedata import locale_identifiers

    return tuple(sorted(code for code in locale_identifiers() if "_" not in code and code != "root"))


def _named(names: Sequence[str], text: str) -> bool:
    return any(_pattern(name).search(text) for name in names)


def _renamed(text: str, old: tuple[str, str], new: tuple[str, str], locale: str) -> str:
    """The names of two languages replaced at once; the longest of each first, capitals as found."""
    instead = {name: names_in(b, locale)[0] for a, b in zip(old, new, strict=True) for name in names_in(a, locale)}
    either = "|".join(_pattern(name).pattern for name in sorted(instead, key=len, reverse=True))

    def other(match: re.Match[str]) -> str:
        found = match[0].casefold()
        name = next(n for n in sorted(instead, key=len, reverse=True) if found.startswith(n.casefold()))
        word, ending = instead[name], match[0][len(name) :]
        word = word + ending if word.endswith("sch") else word
        return word if match[0] != match[0].capitalize() else word.capitalize()

    return re.sub(either, other, text, flags=re.IGNORECASE)


def _pattern(name: str) -> re.Pattern[str]:
    """A name as a word of its own; one in -sch may be declined as in German: aus dem Englischen."""
    ending = "(?:e[mnrs]?)?" if name.endswith("sch") else ""
    return re.compile(_edge(name[0]) + re.escape(name) + ending + _edge(name[-1]), re.IGNORECASE)


def _edge(letter: str) -> str:
    """The edge of a word, where the script has words (not in Thai, Lao, Burmese, Khmer, Chinese, Japanese)."""
    spaceless = re.match("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\uffdc]", letter)
    return r"\b" if letter.isalpha() and not spaceless else ""
