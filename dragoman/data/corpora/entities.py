"""Sentences whose named entities are known, as rows of `named_entities` (Tower's NER task, arXiv 2402.17733).

    tokens and tags, or tagged text -> IOB2 tags -> the split of its words -> the question in one of two forms

No program finds entities well enough to teach them, so these rows are made from text that people annotated
(`data.sizes.entities`), and from nothing else. A sentence stands in one split, by a hash of its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from dragoman.data.catalogs.identity import Split, cluster_of, split_of, words_of
from dragoman.data.catalogs.items import Item, is_paid
from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.segments import InputError
from dragoman.data.corpora.tasks.prompts import drawn_language, named, prompt
from dragoman.text.scripts import is_spaceless
from rewards.annotation.named_entities import OUTSIDE, entities_of, tagged_tokens

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import EntityInput

TASK = "named_entities"
NEEDS = "a sentence of its own in data.sizes.entities"
LONGEST = 150
"""Tokens of a sentence: more make no row"""
_NAME = re.compile(r"[A-Za-z]\w{0,39}")
_IOB = {"B": "B", "I": "I", "S": "B", "U": "B", "E": "I", "L": "I"}
"""What the prefixes of IOB, BIOES and BILOU are in IOB"""


@dataclass(frozen=True)
class Tagged:
    """A sentence with its entities."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    """IOB2: O, or B- and I- with a type"""
    types: tuple[str, ...]
    """Those that its file knows, in alphabetical order"""
    language: str
    provenance: str
    licence: str

    @property
    def cluster(self) -> str:
        """The question, by its words."""
        text = " ".join(self.tokens)
        return cluster_of(" ".join(words_of(text) or (text,)))


def tokens_and_tags(row: Mapping[str, Any], place: str) -> tuple[list[str], list[str]]:
    """Tokens and IOB2 tags of a row with `tokens` and `tags` (lists, or JSON of them) or `tagged` text.

    InputError names what is missing, tags that are numbers, and lists of two lengths."""
    if isinstance(row.get("tagged"), str):
        try:
            return tagged_tokens(row["tagged"])
        except ValueError as error:
            raise InputError(f"{place}: {error}") from None
    tokens, tags = (_listed(row.get(name), name, place) for name in ("tokens", "tags"))
    if len(tokens) != len(tags):
        raise InputError(f"{place} has {len(tokens)} tokens and {len(tags)} tags; give each token one")
    return tokens, iob2(tags, place)


def iob2(tags: Sequence[str], place: str) -> list[str]:
    """The tags with B- at every beginning and I- behind it, from IOB1, IOB2, BIOES or BILOU; types as plain names
    (`art-music` is `art_music`)."""
    plain = []
    for tag in tags:
        prefix, sign, kind = tag.partition("-")
        if tag != OUTSIDE and not (sign and kind and prefix in _IOB):
            raise InputError(f"{place} has the tag {tag!r:.40}; a tag is O, or B- or I- with a type, such as B-PER")
        plain.append(tag if tag == OUTSIDE else f"{_IOB[prefix]}-{re.sub(r'[^0-9A-Za-z_]', '_', kind)}")
    found = [OUTSIDE] * len(tags)
    for kind, start, end in entities_of(plain):
        found[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return found


def _listed(value: Any, name: str, place: str) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, (list, tuple)) or not value:
        raise InputError(f"{place} has no list in column {name!r}; give tokens and tags, or tagged text as 'tagged'")
    if not all(isinstance(one, str) and one for one in value):
        raise InputError(f"{place} has something in {name!r} that is no text; write tags as names, such as B-PER")
    return list(value)


def read_entities(inputs: Sequence[EntityInput]) -> Iterator[Tagged]:
    """The sentences of all inputs, each once: the first one of the same words counts."""
    seen: set[str] = set()
    for asked in inputs:
        name = asked.provenance or asked.file.name
        rows = islice(find_format(asked).rows(asked), asked.limit)
        read = [tokens_and_tags(row, f"{asked.path}{place}") for place, row in rows]
        types = tuple(sorted({tag[2:] for _, tags in read for tag in tags if tag != OUTSIDE}))
        if not types:
            raise InputError(f"{asked.path} has no entity in it; name a file whose tokens are tagged")
        for tokens, tags in read:
            one = Tagged(tuple(tokens), tuple(tags), types, asked.language, name, asked.licence)
            if len(tokens) <= LONGEST and one.cluster not in seen:
                seen.add(one.cluster)
                yield one


def by_split(sentences: Iterator[Tagged], seed: int) -> dict[Split, list[Tagged]]:
    """The sentences of every split."""
    found: dict[Split, list[Tagged]] = {}
    for one in sentences:
        found.setdefault(split_of(one.cluster, seed), []).append(one)
    return found


def entity_items(sentences: Sequence[Tagged], random: Random, *, english_only: bool = False) -> Iterator[Item]:
    """The questions about sentences, in an order that `random` draws; those whose right answer is paid."""
    for one in random.sample(sentences, len(sentences)):
        item = entity_item(one, random, english_only=english_only)
        if is_paid(item):
            yield item


def entity_item(one: Tagged, random: Random, *, english_only: bool = False) -> Item:
    """One question: for the tags of a list of tokens, as Tower asks it, or for the text with tags in it."""
    language = "en" if english_only else drawn_language((one.language,), random)
    tagged = tagged_text(one)
    slots = {"language": named(one.language, language), "types": ", ".join(one.types)}
    if random.random() < 0.5 and tagged is not None:
        text = prompt("tagged_entities", language, random, text=joined(one.tokens), **slots)
        answer = tagged
    else:
        text = prompt(TASK, language, random, tokens=json.dumps(one.tokens, ensure_ascii=False), **slots)
        answer = json.dumps(list(zip(one.tokens, one.tags, strict=True)), ensure_ascii=False)
    columns = {"tokens": list(one.tokens), "tags": list(one.tags), "types": list(one.types)}
    rewards = ({"kind": TASK, "weight": 1},)
    return Item(TASK, one.cluster, text, answer, rewards, columns, one.provenance, one.licence, "sentence")


def joined(tokens: Sequence[str]) -> str:
    """The sentence; the tokens of scripts without spaces stand side by side."""
    return ("" if is_spaceless("".join(tokens)) else " ").join(tokens)


def tagged_text(one: Tagged) -> str | None:
    """`<PER>Anna</PER> lives here .`; None where a token or a type could be taken for a tag, or for no name of one."""
    if any("<" in token for token in one.tokens) or not all(map(_NAME.fullmatch, one.types)):
        return None
    kinds = {start: (kind, end) for kind, start, end in entities_of(one.tags)}
    pieces, place = [], 0
    while place < len(one.tokens):
        kind, end = kinds.get(place, ("", place + 1))
        words = joined(one.tokens[place:end])
        pieces.append(f"<{kind}>{words}</{kind}>" if kind else words)
        place = end
    return joined(pieces) if not is_spaceless("".join(one.tokens)) else "".join(pieces)
