"""Documents made of several pairs: a JSON file of strings with nested keys, a page in HTML, a resource file in XML.

Both sides get the same tree; only the texts differ. Beside texts a JSON file has values that are no texts, and an
element has attributes: what a translator must leave alone.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from html import escape
from random import Random
from typing import Any

from dragoman.data.localisation.rules import Task
from dragoman.data.rows import ParallelPair
from dragoman.text.trees import Format

FEWEST, MOST = 2, 6
"""Texts of a document"""
SECTIONS = ("menu", "dialog", "errors", "labels", "settings", "help", "account", "messages")
_TREE = Callable[[Sequence[str]], str]


def document(pairs: Sequence[ParallelPair], random: Random) -> Task:
    """A document of these pairs, which are of one direction, in a format drawn at random."""
    form: Format = random.choice(("json", "json", "html", "xml"))
    shape = {"json": _json, "html": _html, "xml": _xml}[form](pairs, random)
    source, target = (shape([getattr(pair, side) for pair in pairs]) for side in ("source", "target"))
    return Task(source, target, *pairs[0].direction, form, tuple(pairs))


def is_plain(pair: ParallelPair) -> bool:
    """Whether a pair may stand in a document: one line, no marks of a format."""
    return not any(mark in side for side in (pair.source, pair.target) for mark in '\n<>&{}"\\')


def _json(pairs: Sequence[ParallelPair], random: Random) -> _TREE:
    keys = _keys([pair.source for pair in pairs])
    places = [random.sample(SECTIONS, random.choice((0, 1, 1, 2))) for _ in pairs]
    listed, indent = len(pairs) > 3 and random.random() < 0.3, random.choice((None, 2))
    extra = {"version": random.randint(1, 9), "enabled": random.random() < 0.5} if random.random() < 0.5 else {}

    def shape(texts: Sequence[str]) -> str:
        root: dict[str, Any] = {}
        single = texts[:-2] if listed else texts
        for text, key, place in zip(single, keys, places, strict=False):
            inner = root
            for section in place:
                inner = inner.setdefault(section, {})
            inner[key] = text
        if listed:
            root["items"] = list(texts[-2:])
        return json.dumps(root | extra, ensure_ascii=False, indent=indent)

    return shape


def _html(pairs: Sequence[ParallelPair], random: Random) -> _TREE:
    heading, of_list = random.choice(("h1", "h2", "h3")), random.random() < 0.5
    marks = [f' class="{random.choice(SECTIONS)}"' if random.random() < 0.4 else "" for _ in pairs]

    def shape(texts: Sequence[str]) -> str:
        first, *rest = (escape(text, quote=False) for text in texts)
        inner = "li" if of_list else "p"
        lines = [f"<{inner}{mark}>{text}</{inner}>" for text, mark in zip(rest, marks, strict=False)]
        body = ["<ul>", *lines, "</ul>"] if of_list else lines
        return "\n".join(["<section>", f"<{heading}>{first}</{heading}>", *body, "</section>"])

    return shape


def _xml(pairs: Sequence[ParallelPair], random: Random) -> _TREE:
    keys, root, element = (
        _keys([pair.source for pair in pairs]),
        *random.choice((("resources", "string"), ("messages", "message"))),
    )

    def shape(texts: Sequence[str]) -> str:
        lines = [
            f'  <{element} name="{key}">{escape(text, quote=False)}</{element}>'
            for key, text in zip(keys, texts, strict=True)
        ]
        return "\n".join([f"<{root}>", *lines, f"</{root}>"])

    return shape


def _keys(texts: Sequence[str]) -> list[str]:
    """A key for each text, of its first words, all different."""
    keys: list[str] = []
    for number, text in enumerate(texts):
        letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        key = "_".join(re.findall(r"[a-z]+", letters)[:3]) or f"text_{number + 1}"
        keys.append(key if key not in keys and key not in SECTIONS else f"{key}_{number + 1}")
    return keys
