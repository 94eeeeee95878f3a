"""Whether a text needs a model at all, and whether an answer kept what its source has."""

import re
from collections import Counter

from dragoman.data.documents.base import Slot
from dragoman.text.markup import tags_of, unmatched_tags, well_formed_paths
from dragoman.text.messages import compare
from dragoman.text.messages.tokens import without_tokens

_TAG = re.compile(r"</?[A-Za-z\d][^<>]*>")


def has_words(slot: Slot) -> bool:
    """Whether there are letters outside of inline codes, tags and placeholders."""
    text = slot.text
    for code in slot.codes:
        text = text.replace(code, " ")
    return any(character.isalpha() for character in without_tokens(_TAG.sub(" ", text)))


def fault(slot: Slot, answer: str, locale: str) -> str:
    """What a translation lost or invented; empty when it has what its source has."""
    if not answer.strip():
        return "the answer is empty"
    wrong = next((code for code in slot.codes if answer.count(code) != slot.text.count(code)), None)
    if wrong is not None:
        return f"{'lost' if answer.count(wrong) < slot.text.count(wrong) else 'added'} {wrong}"
    if not slot.keeps(answer):
        return "inline codes that do not nest"
    if well_formed_paths(slot.text) is None:  # codes that overlap: only which ones there are can be compared
        if Counter(tags_of(slot.text)) != Counter(tags_of(answer)):
            return "other tags than the source's"
    elif any(unmatched := unmatched_tags(slot.text, answer)):
        lost, added = unmatched
        return f"lost <{lost[0].label}>" if lost else f"added <{added[0].label}>, or misplaced it"
    found = compare(slot.text, answer, locale)
    if found.same is False:
        return found.note
    given = compare(answer, slot.text) if found.same is None else found
    return f"invented a placeholder ({given.note.replace('lost ', '')})" if given.same is False else ""


def surrounded(source: str, answer: str) -> str:
    """The answer with the white space around the source; on one line if the source is on one."""
    inner = source.strip()
    before = source[: len(source) - len(source.lstrip())]
    after = source[len(source.rstrip()) :] if inner else ""
    text = answer.strip()
    return before + (text if "\n" in inner else re.sub(r"\s*[\r\n]\s*", " ", text)) + after
