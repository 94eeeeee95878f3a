"""Which pairs of an English text and its translation are kept.

What is left out: references to other strings, texts of a word or three, translations that lack a placeholder or tag,
that are far too short or long, that are copies, or that are in another language. (A catalog has all of these: strings
nobody translated, strings whose English has changed since.)
"""

import re

from dragoman.data.catalogs.identity import words_of
from dragoman.text.identification import is_on_target
from dragoman.text.markup import well_formed_paths
from dragoman.text.scripts import is_spaceless
from rewards.translation.preservation import find_addresses, find_placeholders

FEWEST_WORDS = 4
LENGTHS, SPACELESS_LENGTHS = (0.5, 2.2), (0.15, 1.2)
"""Least and most characters of a translation for one of the English text"""
_REFERENCE = re.compile(r"\[%key:|\[\[|common::")
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    """One line, single spaces."""
    return _SPACES.sub(" ", text).strip()


def is_sentence(english: str, most_words: int) -> bool:
    """Whether an English text is long enough to say something, short enough for a row, and no reference."""
    words = len(words_of(english))
    return FEWEST_WORDS <= words <= most_words and not _REFERENCE.search(english)


def is_translation(english: str, text: str, language: str) -> bool:
    """Whether a text is a usable translation of an English one."""
    return (
        words_of(text) != words_of(english)
        and in_proportion(english, text)
        and _same_markup(english, text)
        and is_on_target(text, language, "en", source_text=english).on_target is not False
    )


def in_proportion(english: str, text: str) -> bool:
    """Whether a translation is neither far too short nor far too long."""
    least, most = SPACELESS_LENGTHS if is_spaceless(text) else LENGTHS
    return least <= len(text) / len(english) <= most


def _same_markup(english: str, text: str) -> bool:
    paths = well_formed_paths(english)
    return (
        sorted(find_placeholders(english)) == sorted(find_placeholders(text))
        and paths is not None
        and sorted(paths) == sorted(well_formed_paths(text) or ())
        and sorted(find_addresses(english)) == sorted(find_addresses(text))
    )
