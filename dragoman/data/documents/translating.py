"""A document through a translator: what is copied, what is asked (once for equal texts), what is checked and marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dragoman.data.documents.base import Answer, Document, Slot
from dragoman.data.documents.checking import fault, has_words, surrounded


@dataclass(frozen=True)
class Reply:
    """What a translator made of a text."""

    text: str | None
    """None when there is no translation"""
    reason: str = ""
    """Why there is none"""


Translator = Callable[[Sequence[str]], Sequence[Reply]]
"""Texts, all different and without white space around them, to a reply each"""


@dataclass
class Summary:
    """What became of the slots of a document."""

    translated: int = 0
    copied: int = 0
    """Without letters; nobody was asked"""
    finished: int = 0
    """Left alone because a translation stood there"""
    left: list[str] = field(default_factory=list)
    """Place and reason of each text that could not be translated"""
    marked: list[str] = field(default_factory=list)
    """Place, fault and answer of each that is to be looked at"""


def translate_document(document: Document, translate: Translator, locale: str) -> tuple[bytes, Summary]:
    """The bytes of the translated file, and what became of its texts."""
    wanted = [slot.text.strip() for slot in document.slots if not slot.finished and has_words(slot)]
    texts = list(dict.fromkeys(wanted))
    replies = dict(zip(texts, translate(texts) if texts else (), strict=True))
    summary = Summary()
    answers = [_answer(slot, replies, locale, summary) for slot in document.slots]
    return document.filled(answers), summary


def _answer(slot: Slot, replies: dict[str, Reply], locale: str, summary: Summary) -> Answer | None:
    if slot.finished:
        summary.finished += 1
        return None
    if not has_words(slot):
        summary.copied += 1
        return Answer(slot.text)
    reply = replies[slot.text.strip()]
    if reply.text is None:
        summary.left.append(f"{slot.place}: {reply.reason}")
        return None
    text = surrounded(slot.text, reply.text)
    note = fault(slot, text, locale) or slot.doubt
    if note:
        summary.marked.append(f"{slot.place}: {note}: {text.strip()[:100]!r}")
    else:
        summary.translated += 1
    return Answer(text, note)
