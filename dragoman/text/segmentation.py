"""Words, sentences and paragraphs of a text in any script: the one place that says what each of them is.

Two notions of a word, because the two benchmarks have two. `word_runs` is IFEval's: runs of word characters
(`don't` is two). `tokens` is IFBench's: what stands between spaces, without its punctuation (`don't` is one).
In both, a character of a script without spaces (Han, kana, Thai, Lao, Khmer, Burmese) is one word together
with its combining marks, and combining marks never split a word (Python's `\\w` splits Hindi at every vowel
sign).

Sentences end at `.!?…` before white space or the end, at the full stops and question marks of other scripts anywhere,
and at the Greek question mark, which looks like a semicolon. Whether a full stop is
that of an abbreviation says sentencex (Wikimedia's segmenter, with the abbreviations of each language), asked in the
text's language and in English; segmentation.yaml has what it does not know. The stop of an initial or of a line's
number ends nothing, nor do three dots before a small letter.
"""

import re
import string
import unicodedata
from functools import lru_cache

from dragoman.text.identification import posteriors
from dragoman.text.scripts import is_spaceless
from dragoman.text.tables import listed, read_table

SPACELESS = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Ranges of the scripts without spaces, for use inside a character class."""
_ABBREVIATIONS, _BEFORE_NUMBERS, _AND_SO_ON = (
    listed(read_table(__file__)[name]) for name in ("abbreviations", "before_numbers", "and_so_on")
)
_ENCLOSING = str.maketrans(dict.fromkeys('()[]"“”„«»‘’', " "))
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ENOUGH_FOR_LANGUAGE = 600


_MARKS = "".join(chr(code) for code in range(0x300, 0xFE00) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
"""Combining marks of the basic plane, for use inside a character class (variation selectors left out)"""


_WORD = re.compile(rf"(?=\w)[{SPACELESS}][{_MARKS}]*|[^\W{SPACELESS}](?:[^\W{SPACELESS}]|[{_MARKS}\u200c\u200d])*")
_SPACELESS_CHARACTER = re.compile(rf"[{SPACELESS}][{_MARKS}]*|[^{SPACELESS}]+")
_SENTENCE_END = re.compile(
    r"(?:(?:[.!?…]+|(?<=[\u0370-\u03ff\u1f00-\u1fff]);)[\"'”’»)\]]*(?=\s|$))|[。！？｡]+[」』”’）]*|[؟۔।॥։።፧။។៕᠃᱾꓿꘎꯫]+[\"'”’»)\]]*"
)
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


def whole_word(word: str) -> str:
    """A pattern of the word, not as a part of another one.

    Scripts without spaces have no words to be a part of; in Korean, particles may follow.
    """
    literal = re.escape(word.strip())
    if is_spaceless(word):
        return literal
    behind = "" if "\uac00" <= word.strip()[-1:] <= "\ud7a3" else rf"(?![^\W_]|[{_MARKS}])"
    return rf"(?<![^\W_]){literal}{behind}"


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
    return [text[start:end] for start, end in sentence_places(text)]


def sentence_places(text: str) -> list[tuple[int, int]]:
    """Where each of the `sentences` begins and ends."""
    found, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        before = text[max(start, end.start() - _WINDOW) : end.start()]
        after = text[end.end() : end.end() + _WINDOW]
        if after.strip() and _is_no_end(before, end, after.lstrip()[0]):
            continue
        found.append((start, end.end()))
        start = end.end()
    found.append((start, len(text)))
    return [_stripped(text, *place) for place in found if _WORD.search(text[place[0] : place[1]])]


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _is_no_end(before: str, end: re.Match[str], following: str) -> bool:
    """Whether a mark, with something behind it, is inside a sentence."""
    mark = end[0].rstrip("\"'”’»)]")
    if mark != end[0] and following.islower():  # “Why?” she asked
        return True
    if mark != ".":
        return mark[0] in ".…" and following.islower()
    if before.strip().lower() == "no":  # an answer, or the number 5
        return following.isdigit()
    line = before.rsplit("\n", 1)[-1]
    words = line.split()
    last = words[-1].lower().lstrip("\"'“‘(«[") if words else ""
    if last in _AND_SO_ON or " ".join(words[-2:]).lower().replace(". ", ".") in _AND_SO_ON:
        return not following.isupper()
    if len(last) == 1 and last.isalpha():
        measure = len(words) > 1 and words[-2].isdecimal() and words[-1].islower()  # `8 h`, not `J` or `z. B`
        return not (measure and following.isupper())
    if last in _ABBREVIATIONS or _LINE_NUMBER.fullmatch(line):
        return True
    if last in _BEFORE_NUMBERS and following.isdigit():
        return True
    return not any(end.start() < cut <= end.end() for cut in _cuts(end.string))


@lru_cache(maxsize=256)
def _cuts(text: str) -> frozenset[int]:
    """Where sentencex ends a sentence, both in the language the text seems to be in and in English."""
    from sentencex import get_sentence_boundaries

    language = posteriors(text[:_ENOUGH_FOR_LANGUAGE], None)[0][0]
    open_text = _LONE_SURROGATE.sub("\ufffd", text.translate(_ENCLOSING))  # sentencex cannot read half of a pair
    cuts = [
        {piece["start_index"] + len(piece["text"].rstrip()) for piece in get_sentence_boundaries(code, open_text)}
        for code in {language, "en"}
    ]
    return frozenset.intersection(*map(frozenset, cuts))


def paragraphs(text: str) -> list[str]:
    """Lines that hold anything but white space."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def bare(character: str) -> str:
    """A letter in lower case without its diacritics: `É` -> `e`."""
    return unicodedata.normalize("NFD", character.lower())[0]
