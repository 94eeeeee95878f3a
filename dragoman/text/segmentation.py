"""Words, sentences and paragraphs of a text in any script: the one place that says what each of them is.

Two notions of a word, because the two benchmarks have two. `word_runs` is IFEval's: runs of word characters
(`don't` is two). `tokens` is IFBench's: what stands between spaces, without its punctuation (`don't` is one).
In both, a character of a script without spaces (Han, kana, Thai, Lao, Khmer, Burmese) is one word together
with its combining marks, and combining marks never split a word (Python's `\\w` splits Hindi at every vowel
sign).

Sentences end at `.!?…` before white space or the end, and at `。！？｡`, `؟`, `۔`, `।` anywhere; the full stop of
a listed abbreviation, of an initial or of a line's number ends nothing, nor do three dots before a small letter.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

from dragoman.text.tables import listed

SPACELESS = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Ranges of the scripts without spaces, for use inside a character class."""
ABBREVIATIONS = listed(
    "mr mrs ms dr prof st sr jr vs etc e.g i.e inc ltd co corp approx dept gen capt sgt lt hon "
    "z.b bzw ca usw d.h u.a p.ex mme mlle sra srta uds т.е т.д т.п"
)
BEFORE_NUMBERS = listed("no nr nos fig p pp vol art п стр ул")
"""Abbreviations only when a number follows: `No. 5`, but `I said no.`"""


_MARKS = "".join(chr(code) for code in range(0x300, 0xFE00) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
"""Combining marks of the basic plane, for use inside a character class (variation selectors left out)"""


_WORD = re.compile(rf"(?=\w)[{SPACELESS}][{_MARKS}]*|[^\W{SPACELESS}](?:[^\W{SPACELESS}]|[{_MARKS}\u200c\u200d])*")
_SPACELESS_CHARACTER = re.compile(rf"[{SPACELESS}][{_MARKS}]*|[^{SPACELESS}]+")
_SENTENCE_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*(?=\s|$))|[。！？｡]+[」』”’）]*|[؟۔।]+[\"'”’»)\]]*")
_WINDOW = 80
"""So many characters on each side of a mark decide whether it ends a sentence."""
_LINE_NUMBER = re.compile(r"\s*\d{1,3}")


def word_runs(text: str) -> list[str]:
    """Runs of word characters, as IFEval counts words."""
    return _WORD.findall(text)


@lru_cache(maxsize=65536)
def is_punctuation(character: str) -> bool:
    """Punctuation of any script, and the ASCII symbols that `string.punctuation` holds."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def without_punctuation(text: str) -> str:
    """The text with every punctuation mark deleted, those inside words too."""
    return "".join(character for character in text if not is_punctuation(character))


def strip_punctuation(text: str) -> str:
    """The text without punctuation and white space at its two ends."""
    start, end = 0, len(text)
    while start < end and (is_punctuation(text[start]) or text[start].isspace()):
        start += 1
    while end > start and (is_punctuation(text[end - 1]) or text[end - 1].isspace()):
        end -= 1
    return text[start:end]


def phrases(text: str) -> list[str]:
    """What stands between spaces, punctuation deleted; in spaceless scripts, what stands between punctuation."""
    found = []
    for piece in text.split():
        if re.search(f"[{SPACELESS}]", piece):
            found += "".join(" " if is_punctuation(c) else c for c in piece).split()
        else:
            found.append(without_punctuation(piece))
    return [piece for piece in found if piece]


def tokens(text: str) -> list[str]:
    """Words between spaces, punctuation deleted; characters of spaceless scripts are words of their own."""
    return [word for phrase in phrases(text) for word in _SPACELESS_CHARACTER.findall(phrase)]


def spaced_words(text: str) -> list[str]:
    """Words between spaces with punctuation only inside them (`don't` stays); spaceless characters apart."""
    words = (strip_punctuation(piece) for piece in text.split())
    parts = (part for word in words if word for part in _SPACELESS_CHARACTER.findall(word))
    return [part for part in map(strip_punctuation, parts) if part]


def sentences(text: str) -> list[str]:
    """The sentences with their end marks, each with at least one word; the last may lack its mark."""
    found, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        before = text[max(start, end.start() - _WINDOW) : end.start()]
        if _is_no_end(before, end.group(0), text[end.end() : end.end() + _WINDOW]):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if _WORD.search(sentence)]


def _is_no_end(before: str, mark: str, after: str) -> bool:
    """Whether a mark belongs to an abbreviation, an initial or a numbered line, or is an ellipsis before a small
    letter.
    """
    if mark.strip(".…") == "" and mark != ".":
        return after.lstrip()[:1].islower()
    if mark != ".":
        return False
    line = before.rsplit("\n", 1)[-1]
    words = line.split()
    last = words[-1].lower().lstrip("\"'“‘(«[") if words else ""
    if last in ABBREVIATIONS or re.fullmatch(r"[^\W\d_]", last):
        return bool(after.strip())
    if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", last):
        return after.lstrip()[:1].islower()
    if last in BEFORE_NUMBERS:
        return bool(re.match(r"\s*\d", after))
    return bool(_LINE_NUMBER.fullmatch(line))


def paragraphs(text: str) -> list[str]:
    """Lines that hold anything but white space."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def bare(character: str) -> str:
    """A letter in lower case without its diacritics: `É` -> `e`."""
    return unicodedata.normalize("NFD", character.lower())[0]
