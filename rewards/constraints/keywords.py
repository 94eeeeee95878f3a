"""Keyword constraints. Keywords are taken literally; the original takes them as regular expressions by
accident.

Forbidden words stand between word boundaries; in scripts without spaces, where there are none, they match
anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dragoman.text.scripts import is_spaceless
from rewards.constraints.registry import a_count, a_letter, a_relation, a_text, holds, instruction, texts


@instruction("keywords:existence", keywords=texts)
def existence(response: str, keywords: Sequence[str]) -> bool:
    """Every keyword occurs, in any case."""
    return all(_occurrences(response, word) for word in keywords)


@instruction("keywords:frequency", keyword=a_text, frequency=a_count, relation=a_relation)
def frequency(response: str, keyword: str, frequency: int, relation: str) -> bool:
    """Occurrences of the keyword against the bound."""
    return holds(_occurrences(response, keyword), relation, frequency)


@instruction("keywords:forbidden_words", forbidden_words=texts)
def forbidden_words(response: str, forbidden_words: Sequence[str]) -> bool:
    """None of the words occurs as a whole word, in any case."""
    return not any(contains_word(response, word) for word in forbidden_words)


@instruction("keywords:letter_frequency", letter=a_letter, let_frequency=a_count, let_relation=a_relation)
def letter_frequency(response: str, letter: str, let_frequency: int, let_relation: str) -> bool:
    """Occurrences of the letter, in any case, against the bound."""
    return holds(response.lower().count(letter.lower()), let_relation, let_frequency)


def contains_word(text: str, word: str) -> bool:
    """Whether the word occurs as a whole, in any case."""
    literal = re.escape(word.strip())
    pattern = literal if is_spaceless(word) else rf"(?<!\w){literal}(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _occurrences(response: str, keyword: str) -> int:
    return len(re.findall(re.escape(keyword.strip()), response, re.IGNORECASE))
