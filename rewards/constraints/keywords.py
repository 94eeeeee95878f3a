"""Keyword constraints. Keywords are taken literally; the original takes them as regular expressions by accident.

They are whole words where the script has words, as forbidden words are in the original too: `art` is not in `start`.
The original looks for the others anywhere; `whole_words: false` does the same.
"""

import re
from collections.abc import Sequence

from dragoman.text.normalisation import APOSTROPHES, normalised
from dragoman.text.segmentation import whole_word
from rewards.constraints.registry import a_count, a_letter, a_relation, a_text, a_truth, holds, instruction, texts

WHOLE_WORDS = {"whole_words": a_truth}


@instruction("keywords:existence", keywords=texts, optional=WHOLE_WORDS)
def existence(response: str, keywords: Sequence[str], whole_words: bool = True) -> bool:
    """Every keyword occurs, in any case."""
    return all(occurrences(response, word, whole_words) for word in keywords)


@instruction("keywords:frequency", keyword=a_text, frequency=a_count, relation=a_relation, optional=WHOLE_WORDS)
def frequency(response: str, keyword: str, frequency: int, relation: str, whole_words: bool = True) -> bool:
    """Occurrences of the keyword against the bound."""
    return holds(occurrences(response, keyword, whole_words), relation, frequency)


@instruction("keywords:forbidden_words", forbidden_words=texts)
def forbidden_words(response: str, forbidden_words: Sequence[str]) -> bool:
    """None of the words occurs as a whole word, in any case."""
    return not any(occurrences(response, word) for word in forbidden_words)


@instruction("keywords:letter_frequency", letter=a_letter, let_frequency=a_count, let_relation=a_relation)
def letter_frequency(response: str, letter: str, let_frequency: int, let_relation: str) -> bool:
    """Occurrences of the letter, in any case, against the bound."""
    return holds(response.lower().count(letter.lower()), let_relation, let_frequency)


def occurrences(text: str, word: str, whole_words: bool = True) -> int:
    """How often the word occurs, in any case, width and apostrophe and with whatever invisible characters inside."""
    text, word = (re.sub(f"[{APOSTROPHES}]", "'", normalised(given)) for given in (text, word))
    pattern = whole_word(word) if whole_words else re.escape(word.strip())
    return len(re.findall(pattern, text, re.IGNORECASE))
