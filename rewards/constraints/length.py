"""Length constraints: words, sentences, paragraphs.

Words are runs of word characters, as in the original; a character of a script without spaces counts as one
word. Sentences are those of `dragoman.text.segmentation`, which knows the abbreviations of each language; the original
uses NLTK's English Punkt model.
"""

import re

from dragoman.text.scripts import is_spaceless
from dragoman.text.segmentation import sentences, word_runs
from rewards.constraints.quotation import QUOTATION_MARKS
from rewards.constraints.registry import (
    a_positive_count,
    a_relation,
    a_text,
    holds,
    instruction,
)

_NO_MARKS = str.maketrans(dict.fromkeys(QUOTATION_MARKS, "."))


@instruction("length_constraints:number_words", num_words=a_positive_count, relation=a_relation)
def number_words(response: str, num_words: int, relation: str) -> bool:
    """Number of words against the bound."""
    return holds(count_words(response), relation, num_words)


@instruction("length_constraints:number_sentences", num_sentences=a_positive_count, relation=a_relation)
def number_sentences(response: str, num_sentences: int, relation: str) -> bool:
    """Number of sentences against the bound."""
    return holds(count_sentences(response), relation, num_sentences)


@instruction("length_constraints:number_paragraphs", num_paragraphs=a_positive_count)
def number_paragraphs(response: str, num_paragraphs: int) -> bool:
    """Paragraphs are divided by `***`; an empty one in the middle fails."""
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", response)]
    if not all(parts[1:-1]):
        return False
    return sum(1 for part in parts if part) == num_paragraphs


@instruction(
    "length_constraints:nth_paragraph_first_word",
    num_paragraphs=a_positive_count,
    nth_paragraph=a_positive_count,
    first_word=a_text,
)
def nth_paragraph_first_word(response: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Paragraphs are divided by blank lines, however many; the n-th starts with the word, quotation marks aside."""
    parts = [part.strip() for part in re.split(r"\n[^\S\n]*\n", response) if part.strip()]
    if len(parts) != num_paragraphs or nth_paragraph > len(parts):
        return False
    start = parts[int(nth_paragraph) - 1].lstrip(QUOTATION_MARKS + "' \u00a0\u202f").lower()
    wanted = first_word.strip().lower()
    if is_spaceless(wanted):
        return start.startswith(wanted)
    return bool(start) and re.split(r"[.,?!'’，。！？、،؟]", start.split()[0].translate(_NO_MARKS))[0] == wanted


def count_words(text: str) -> int:
    """Words as IFEval counts them (`dragoman.text.segmentation.word_runs`)."""
    return len(word_runs(text))


def count_sentences(text: str) -> int:
    """Sentences that hold at least one word; an abbreviation's full stop ends nothing."""
    return len(sentences(text))
