"""Correcting: a draft of a translation, or the spelling and grammar of a text."""

from random import Random

from dragoman.data.catalogs.items import Item
from dragoman.data.corpora.instructed import segment_item
from dragoman.data.corpora.tasks.base import Material, TaskKind
from dragoman.data.corpora.tasks.damages import WRITING, damaged, words_for
from dragoman.data.corpora.tasks.grades import graded
from dragoman.data.corpora.tasks.prompts import drawn_language, named, pair_names, prompt
from rewards.annotation.edits import MOST_TOKENS, tokens_of

DRAFTS = ("light", "middle", "heavy", "shortened")
RIGHT_SHARE = 0.1
"""Of the texts of `grammar`, which nothing has to be done to"""
MOST_MISTAKES = 3


def post_editing(material: Material, random: Random) -> list[Item]:
    """The draft that the file has, or else a damaged reference, to be improved."""
    s = material.segment
    draft = s.draft if s.draft and s.draft != s.target else ""
    if not draft:
        made = graded(material, DRAFTS, random)
        draft = made.text if made else ""
    if not draft:
        return []
    language = drawn_language(s.direction, random)
    names = pair_names(s.direction, language)
    text = prompt("post_editing", language, random, source=s.source, draft=draft, **names)
    return [segment_item(material.question, s, "post_editing", text)]


def grammar(material: Material, random: Random) -> list[Item]:
    """A text of the target language with mistakes in it, and now and then without any."""
    s = material.segment
    count = 0 if random.random() < RIGHT_SHARE else random.randint(1, MOST_MISTAKES)
    made = damaged(s.target, words_for(s.target, "", ()), count, random, WRITING)
    if made is None or len(tokens_of(made.text)) > MOST_TOKENS:
        return []
    language = drawn_language((s.target_language,), random)
    text = prompt("grammar", language, random, language=named(s.target_language, language), text=made.text)
    reward = {"kind": "edits", "weight": 1, "args": {"source": made.text, "reference": s.target}}
    return [
        Item("grammar", material.question, text, s.target, (reward,), {}, s.provenance, s.licence, "segment")
    ]  # fmt: skip


POST_EDITING = TaskKind("post_editing", post_editing, "a draft, or words of four letters or more without placeholders")
GRAMMAR = TaskKind("grammar", grammar, "words of four letters or more, without placeholders and tags")
