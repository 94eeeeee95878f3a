"""Translations with more than one segment: with context, as a document, behind examples."""

from dataclasses import replace
from random import Random

from dragoman.data.catalogs.items import Item
from dragoman.data.corpora.instructed import segment_item
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.tasks.base import Material, TaskKind
from dragoman.data.corpora.tasks.prompts import drawn_language, pair_names, prompt

MOST_CONTEXT, MOST_LINES, LONGEST = 3, 5, 2_000
"""Segments of a context and of a document; characters of either"""
FEWEST_SHOTS, MOST_SHOTS = 2, 4


def in_context(material: Material, random: Random) -> list[Item]:
    """One segment to be translated, what stands before it in its file being shown."""
    shown = material.before[-random.randint(1, MOST_CONTEXT) :]
    context = "\n".join(segment.source for segment in shown)
    return [_item("context_translation", material, material.segment, random, context=context)] if shown else []


def document(material: Material, random: Random) -> list[Item]:
    """Segments that follow one another in one file, to be translated together, a line each."""
    lines = [material.segment, *material.after[: random.randint(1, MOST_LINES - 1)]]
    if len(lines) < 2 or sum(len(s.source) for s in lines) > LONGEST:
        return []
    source, target = "\n".join(s.source for s in lines), "\n".join(s.target for s in lines)
    whole = replace(material.segment, source=source, target=target)
    return [_item("document_translation", material, whole, random)]


def few_shot(material: Material, random: Random) -> list[Item]:
    """A segment behind two to four examples of its direction."""
    count = random.randint(FEWEST_SHOTS, MOST_SHOTS)
    shown = [other for question, other in material.others if question != material.question]
    if len(shown) < count or sum(len(s.source + s.target) for s in shown[:count]) > LONGEST:
        return []
    language = drawn_language(material.segment.direction, random)
    names = pair_names(material.segment.direction, language)
    examples = "\n\n".join(f"{names['source_language']}: {s.source}\n{names['target_language']}: {s.target}"
                           for s in shown[:count])  # fmt: skip
    s = material.segment
    text = prompt("few_shot_translation", language, random, source=s.source, examples=examples, **names)
    return [segment_item(material.question, s, "few_shot_translation", text)]


def _item(task: str, material: Material, s: Segment, random: Random, **slots: str) -> Item:
    language = drawn_language(s.direction, random)
    text = prompt(task, language, random, source=s.source, **pair_names(s.direction, language), **slots)
    return segment_item(material.question, s, task, text)


CONTEXT = TaskKind("context_translation", in_context, "a training segment before it in the same file", in_file=True)
DOCUMENT = TaskKind("document_translation", document, "a training segment behind it in the same file", in_file=True)
FEW_SHOT = TaskKind("few_shot_translation", few_shot, "four short segments of the same direction before it")
