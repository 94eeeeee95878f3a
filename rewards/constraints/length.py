"""Length constraints: words, sentences, paragraphs.

Words are runs of word characters, as in the original; a character of a script without spaces counts as one
word. Sentences are split here by their end marks (also 。！？ and others); the original uses NLTK's English
Punkt model, which knows more abbreviations and no other scripts.
"""

from __future__ import annotations

import re

from rewards.constraints.registry import (
    a_positive_count,
    a_relation,
    a_text,
    holds,
    instruction,
)

_SPACELESS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+")
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "sr",
        "jr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "inc",
        "ltd",
        "co",
        "corp",
        "no",
        "fig",
        "approx",
        "dept",
        "z.b",
        "bzw",
        "ca",
        "usw",
        "d.h",
        "p.ex",
        "sra",
    ]
)
_SENTENCE_END = re.compile(r"(?:[.!?…]+[\"'”’)\]»]*(?=\s|$))|[。！？｡]+[」』”）]*|[؟۔।]+")


@instruction("length_constraints:number_words", num_words=a_positive_count, relation=a_relation)
def number_words(response: str, num_words: int, relation: str) -> bool:
    return holds(count_words(response), relation, num_words)


@instruction("length_constraints:number_sentences", num_sentences=a_positive_count, relation=a_relation)
def number_sentences(response: str, num_sentences: int, relation: str) -> bool:
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
    """Paragraphs are divided by blank lines; the n-th starts with the given word."""
    parts = [part.strip() for part in re.split(r"\n\n", response)]
    filled = sum(1 for part in parts if part)
    if nth_paragraph > len(parts) or not parts[nth_paragraph - 1]:
        return False
    word = re.split(r"[.,?!'\"]", parts[nth_paragraph - 1].split()[0].lstrip("'\""))[0]
    return filled == num_paragraphs and word.lower() == first_word.strip().lower()


def count_words(text: str) -> int:
    return len(_WORD.findall(text))


def count_sentences(text: str) -> int:
    """Pieces between end marks that hold at least one word; an abbreviation's full stop ends nothing."""
    count, start = 0, 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[start : end.start()]
        last = piece.split()[-1].lower() if piece.split() else ""
        if end.group(0) == "." and (last in _ABBREVIATIONS or re.fullmatch(r"[^\W\d_]", last)):
            continue
        count += bool(_WORD.search(piece))
        start = end.end()
    return count + bool(_WORD.search(text[start:]))
