"""Sentences and tails of a translation that its source does not have, by length and marks alone, in any language.

A sentence may rightly become two, at a mark of the source or where it is long; what stands behind a whole translation,
or behind more sentences than the source has pieces, was added. additions.py has the words for the same.
"""

import re
import unicodedata
from dataclasses import dataclass

from dragoman.text.scripts import is_spaceless, share_in_scripts, weighted_length, weighted_letters

FINAL = " .!?…。！？।؟۔\"'”»」』)）"
"""What may stand behind a sentence"""
MARKS = re.compile(r"[,，、،;；:：.。!?！？…।؟۔(（\[\"“„«「\n](?!\d)|\s[-–—]+\s|—")
_SENTENCES = re.compile(r"[^\W\d_][^.!?…。！？।؟۔\n]*?(?:[.!?…。！？।؟۔\n]|\Z|(?<=[\u0e00-\u0eff]) )")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\s\d])|(?<=[.!?…][\"'”»)])\s+(?=[^\s\d])|(?<=[。！？।؟۔])|\n+")
_SHORT_FOR = re.compile(r"(?<!\w)(?:\w|[^\W\d_a-zа-яё]\w)\.\W*\Z")
_CLOSERS = " \"'”»」』)）"
_SPARING = frozenset({"ARABIC", "THAI", "LAO", "KHMER", "MYANMAR"})
_TWICE, _FREE, _LONG, _LONGER = 2.0, 10, 60, 1.05
WHOLE = 0.75
"""Share of the source's letters from which on a text may be all of its translation"""


@dataclass(frozen=True)
class _Tail:
    """Something behind a whole translation, on its line."""

    opens: re.Pattern[str]
    absent: re.Pattern[str]
    """What the source has none of"""
    words: int
    """As many at least"""
    share: float
    """Of the source's letters, at least"""


_TAILS = (
    _Tail(re.compile(r"[(（\[【](?=[^(（\[【]*[)）\]】]\W*\Z)"), re.compile(r"[(（\[【]"), 3, 0),  # a gloss
    _Tail(re.compile(r"\s[-–—]\s"), re.compile(r"[,:;–—]|-[-\s]"), 4, 0),  # a remark
    _Tail(re.compile(r"\s/\s"), re.compile("/"), 1, WHOLE),  # another translation
)


def further_sentence(text: str, source: str) -> str:
    """The last sentence, when there are more than pieces of the source between its marks, or when the source is one and
    what stands before the last is longer. A long source without marks, or one in a script that spares them, may
    rightly be cut up.
    """
    found = _split_sentences(text) if weighted_letters(source) and share_in_scripts(source, _SPARING) < 0.5 else []
    if len(found) < 2:
        return ""
    pieces = len(found) > 1 + _marks(source) and weighted_letters(source) <= _LONG
    before = weighted_length("".join(found[:-1]))
    whole = len(_split_sentences(source)) == 1 and before >= _LONGER * weighted_length(source)
    return found[-1] if pieces or whole else ""


def _split_sentences(text: str) -> list[str]:
    """Sentences of two words and more, or with an exclamation; no small letter begins one, and one letter or a capital
    and another before a point are short for something.
    """
    found = [""]
    for piece in _SENTENCE_END.split(text):
        if found[-1] == "" and len(found) > 1 and piece[:1].islower():
            found.pop()
        found[-1] += piece
        whole = len(piece.split()) > 1 or piece.rstrip(_CLOSERS)[-1:] in "!！?？" or is_spaceless(piece)
        short = _SHORT_FOR.search(piece) is not None and not is_spaceless(piece)
        if whole and not short and re.search(r"[^\W\d_]{2}", piece):
            found.append("")
    return [sentence for sentence in found if re.search(r"[^\W\d_]{2}", sentence)]


def _marks(text: str) -> int:
    return len(MARKS.findall(text.strip(FINAL)))


def further_letters(text: str, source: str) -> str:
    """What follows the first sentence of a response of more sentences and twice the letters, by what they write."""
    letters = weighted_letters(source)
    if not letters or weighted_letters(text) <= _TWICE * letters + _FREE or not has_more_sentences(text, source):
        return ""
    return " ".join(match[0] for match in list(_SENTENCES.finditer(text))[1:])


def has_more_sentences(text: str, source: str) -> bool:
    return not source or len(_SENTENCES.findall(text)) > len(_SENTENCES.findall(source))


def further_tail(text: str, source: str) -> str:
    """A parenthesis or what follows a dash, of some words, or a second text behind a slash; the source has none."""
    for tail in _TAILS:
        opening = tail.opens.search(text)
        if opening is None or tail.absent.search(source) or not source:
            continue
        before, behind = text[: opening.start()], text[opening.end() :]
        whole = written(before) >= WHOLE * written(source) and written(behind) >= tail.share * written(source)
        if whole and _words(behind) >= tail.words:
            return text[opening.start() :]
    return ""


def written(text: str) -> int:
    """Letters by what they write, and the vowel signs of Indic scripts, which are none."""
    return weighted_letters(text) + sum(unicodedata.category(character)[0] == "M" for character in text)


def _words(text: str) -> int:
    """Words, or pairs of letters in a script that does not divide them."""
    found = re.findall(r"[^\W\d_]+", text)
    return sum(map(len, found)) // 2 if is_spaceless(text) else len(found)
