"""Sentences of a translation that its source does not have, by length and marks alone, whatever the language.

A sentence may rightly become two, at a mark of the source or where it is long; what stands behind a whole translation,
or behind more sentences than the source has pieces, was added. additions.py has the words for the same.
"""

import re

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
