"""Where a term stands in a text as a whole word.

A pattern with the boundaries in it costs milliseconds to compile, for scripts without spaces are ten thousands of
letters; so only a term's own letters are made a pattern, and what is beside them is looked at with patterns made once.
"""

import re
from collections.abc import Iterator
from functools import cache

from dragoman.text.normalisation import APOSTROPHES, normalised
from dragoman.text.segmentation import SPACELESS

_LETTER = re.compile(rf"[^\W{SPACELESS}]")
"""Beside a word of its script"""
_OPEN_BEFORE = re.compile(rf"[{SPACELESS}\W]")
"""First of a term where any letter may stand before it"""
_OPEN_BEHIND = re.compile(rf"[{SPACELESS}\uac00-\ud7af\W]\Z")
"""Last of a term where any letter may stand behind it: particles are written onto a word of Hangul"""


def term_places(term: str, text: str, *, endings: int = 0, case: bool = False) -> Iterator[tuple[int, int]]:
    """Start and end of each place of a term in a `normalised` text, none within another.

    It stands there as a whole word, with up to `endings` letters behind it. Where the neighbouring letter would be of a
    script without spaces there is no boundary to ask for. Any apostrophe stands for any, any spaces for any.
    """
    term = normalised(term.strip())
    letters = re.compile(_letters(term), 0 if case else re.IGNORECASE)
    closed_before, closed_behind = not _OPEN_BEFORE.match(term), not _OPEN_BEHIND.search(term)
    start = 0
    while match := letters.search(text, start):
        start, end = match.span()
        behind = _behind(endings).match(text, end) if closed_behind else match
        if behind and not (closed_before and start and _LETTER.match(text, start - 1)):
            yield start, behind.end()
            start = max(start + 1, behind.end())
        else:
            start += 1


def _letters(term: str) -> str:
    return re.sub(f"[{APOSTROPHES}]", f"[{APOSTROPHES}]", r"\s+".join(map(re.escape, term.split())))


@cache
def _behind(endings: int) -> re.Pattern[str]:
    return re.compile(rf"[^\W\d_]{{0,{endings}}}(?![^\W{SPACELESS}])")
