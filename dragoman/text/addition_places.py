"""Where in an answer stands what additions.py finds there.

words in their plain form -> the same form of the answer, with the places of its characters -> the words' sentence
"""

import re
from dataclasses import dataclass

from dragoman.text.additions import MOST_CHARACTERS, addition_words, plain
from dragoman.text.normalisation import APOSTROPHES, normalised_in_place
from dragoman.text.places import Placed

_MARKS = re.compile(r"[.!?…。！？।؟۔\n]+")
_MARKS_OR_COLON = re.compile(r"[.!?…。！？।؟۔\n:：]+")


@dataclass(frozen=True)
class Addition:
    """Something said beside the translation, with its kind, and where it stands in the response."""

    reason: str
    start: int
    end: int


def locate_addition(response: str, source: str = "") -> Addition | None:
    """What `additions.find_addition` finds, with its place: the sentence around the words, up to a colon; the whole
    response where these cannot be told apart.
    """
    found = addition_words(response, source)
    return None if found is None else Addition(found[0], *_place(response, plain(found[1])))


def _place(response: str, words: str) -> tuple[int, int]:
    found = _plain_in_place(response[:MOST_CHARACTERS])
    first = found.text.find(words) if words else -1
    if first < 0:
        return 0, len(response)
    start = max((mark.end() for mark in _MARKS.finditer(found.text, 0, first)), default=0)
    start += len(found.text[start:first]) - len(found.text[start:first].lstrip())
    last = first + len(words)
    heads = words[-1] in ":："  # what a label announces belongs to it; before another colon an announcement ends
    mark = _MARKS.search(found.text, last) if heads else _MARKS_OR_COLON.search(found.text, last - 1)
    end = mark.end() if mark else len(found.text)
    return found.span(start, start + len(found.text[start:end].rstrip()))


def _plain_in_place(text: str) -> Placed:
    """`additions.plain`, with the place of each character."""
    folded = normalised_in_place(text).sub(f"[{APOSTROPHES}]", "'").each(str.casefold).sub("i\u0307", "i")
    lined = folded.sub(r"\r\n?|[\u2028\u2029\x85\v\f]", "\n").sub(r"[^\S\n]+", " ")
    return lined.sub(r"\A\s+|\s+\Z")
