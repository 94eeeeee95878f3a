"""One form of a text for every comparison: what looks the same to a reader is the same.

`normalised` composes (NFC), drops what cannot be seen (byte order and direction marks, zero-width spaces, soft
hyphens), makes every space a space and every hyphen a hyphen, and folds the compatibility forms that are only another
width or shape of the same letter: full-width Latin, half-width kana, Arabic presentation forms, ligatures. It leaves
what means something: superscripts, fractions, full-width punctuation, and the joiners of Persian, Indic scripts and
emoji (Unicode Standard Annex 15; Technical Report 36 for the joiners).

    response, reference -> normalised -> metrics, glossary, forbidden words, keywords, copies
"""

import re
import unicodedata
from functools import lru_cache

from dragoman.text.places import Placed
from dragoman.text.tables import listed

INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff"
"""As the inside of a character class: nothing to see, and no part of any word"""
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""As the inside of a character class: they turn the order of writing, and end an address"""
APOSTROPHES = "'\u2018\u2019\u02bc\u02b9\u2032\uff07"
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_JOINER = re.compile("(?<=(.))[\u200c\u200d]", re.DOTALL)
_WITH_THE_LAST = "".join(
    chr(code)
    for code in (*range(0x300, 0x3100), *range(0xA000, 0xAC00), *range(0xD7B0, 0xD800), *range(0xFB00, 0x10000))
    if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me")
)
_CLUSTER = re.compile(
    f".[{_WITH_THE_LAST}{INVISIBLE}\u1160-\u11ff\uff9e\uff9f\u200c\u200d\U0001d165-\U0001d1ad\U00011000-\U00011fff]*",
    re.DOTALL,
)
"""A character with what may melt into it: marks, parts of a Hangul syllable, and what is dropped behind it"""
_SPACE = re.compile(r"[^\S\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]")
_HYPHENS = str.maketrans("\u2010\u2011", "--")
_SHAPES = listed("<wide> <narrow> <initial> <medial> <final> <isolated>")


def normalised(text: str) -> str:
    """The text in the one form for comparisons; equal texts stay equal, and case stays as it is."""
    if text.isascii():
        return text
    plain = _INVISIBLE.sub("", text).translate(_HYPHENS)
    plain = _JOINER.sub(lambda match: match[0] if _joins(match[1]) else "", plain)
    folded = "".join(map(_folded, plain))
    return unicodedata.normalize("NFC", _SPACE.sub(" ", folded))


def normalised_in_place(text: str) -> Placed:
    """`normalised`, each character with what it was made from: a letter with its marks, a syllable with its parts."""
    if text.isascii():
        return Placed.of(text)
    clusters = [match.span() for match in _CLUSTER.finditer(text)]
    pieces = ((normalised(text[start:end]), start, end) for start, end in clusters)
    found = Placed.joined(pieces)
    whole = normalised(text)
    return found if found.text == whole else Placed(whole, [0] * len(whole), [len(text)] * len(whole))


def without_direction_marks(text: str) -> str:
    """The text without the marks that only turn the order of writing."""
    return re.sub(f"[{DIRECTION_MARKS}]", "", text)


@lru_cache(maxsize=65536)
def _folded(character: str) -> str:
    """The character without its width or shape; punctuation keeps its width, for Chinese commas are no Latin ones."""
    shape, _, rest = unicodedata.decomposition(character).partition(" ")
    letter = unicodedata.category(character)[0] in "LNM" or character in "\uff9e\uff9f"
    only_shape = shape in _SHAPES or (shape == "<compat>" and character.isalpha() and " " in rest)
    return unicodedata.normalize("NFKC", character) if letter and only_shape else character


def _joins(before: str) -> bool:
    """Whether a zero-width (non-)joiner after this character changes what is written."""
    joined = unicodedata.bidirectional(before) == "AL" or unicodedata.category(before) in ("Mn", "Mc", "So", "Sk")
    return joined or unicodedata.name(before, "").startswith(("MONGOLIAN", "SYRIAC", "MALAYALAM", "SINHALA"))
