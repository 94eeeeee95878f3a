"""Judging translations: marked errors, a rating, the better of two. What is right follows from what was damaged."""

from random import Random

from dragoman.data.catalogs.items import Item
from dragoman.data.corpora.tasks.base import Material, TaskKind
from dragoman.data.corpora.tasks.damages import Damaged
from dragoman.data.corpora.tasks.grades import GRADES, graded
from dragoman.data.corpora.tasks.prompts import drawn_language, pair_names, prompt
from rewards.annotation.error_spans import NO_ERRORS

MARKABLE = ("clean", "light", "light", "middle", "heavy")
WORSE = GRADES[1:]
LABELS = ["A", "B"]
LOW, HIGH = 0, 100


def error_spans(material: Material, random: Random) -> list[Item]:
    """A damaged reference whose errors are to be marked; one in five has none."""
    made = graded(material, MARKABLE, random)
    if made is None:
        return []
    spans = [{"start": mark.start, "end": mark.end, "severity": mark.severity} for mark in made.marks]
    answer = "\n".join(f'"{made.text[mark.start : mark.end]}" - {mark.severity}' for mark in made.marks) or NO_ERRORS
    reward = {"kind": "error_spans", "weight": 1, "args": {"translation": made.text, "spans": spans}}
    return [_item(material, "error_spans", random, answer, reward, translation=made.text)]


def quality(material: Material, random: Random) -> list[Item]:
    """A reference damaged by some grade, to be rated from 0 to 100."""
    made = graded(material, GRADES, random)
    if made is None:
        return []
    reward = {"kind": "rating", "weight": 1, "args": {"gold": made.score, "low": LOW, "high": HIGH}}
    slots = {"translation": made.text, "low": str(LOW), "high": str(HIGH)}
    return [_item(material, "quality", random, str(made.score), reward, **slots)]


def preference(material: Material, random: Random) -> list[Item]:
    """A reference beside its damaged copy, asked in both orders, so that no place wins."""
    made = graded(material, WORSE, random)
    return [] if made is None else [_compared(material, made, gold, random) for gold in random.sample(LABELS, 2)]


def _compared(material: Material, made: Damaged, gold: str, random: Random) -> Item:
    texts = [material.segment.target, made.text]
    first, second = texts if gold == LABELS[0] else texts[::-1]
    reward = {"kind": "preference_label", "weight": 1, "args": {"gold": gold, "labels": LABELS}}
    return _item(material, "preference_label", random, gold, reward, first=first, second=second)


def _item(material: Material, task: str, random: Random, answer: str, reward: dict[str, object], **slots: str) -> Item:
    """No column says source and reference: the row is no translation."""
    s = material.segment
    language = drawn_language(s.direction, random)
    text = prompt(task, language, random, source=s.source, **pair_names(s.direction, language), **slots)
    return Item(task, material.question, text, answer, (reward,), {}, s.provenance, s.licence, "segment")


_WORDS = "words of four letters or more, without placeholders and tags"
ERROR_SPANS = TaskKind("error_spans", error_spans, _WORDS)
QUALITY = TaskKind("quality", quality, _WORDS)
PREFERENCE = TaskKind("preference_label", preference, _WORDS)
