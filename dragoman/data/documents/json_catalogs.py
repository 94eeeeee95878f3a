"""JSON and ARB catalogs: the values that are texts, found where they stand, so that all else stays as it was written.

The format cannot mark a translation: one with a fault is not written, and its text stays the source's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dragoman.data.corpora.segments import InputError
from dragoman.data.documents.base import (
    Answer,
    Asked,
    Document,
    DocumentFormat,
    FileText,
    Slot,
    file_text,
    register_document,
    spliced,
)

_TOKEN = re.compile(r'[\s:]*("(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],":]+)')
_LOCALE = "@@locale"


@dataclass(frozen=True)
class Value:
    """A text of the catalog."""

    key: str
    """Dotted, as the reader writes it"""
    text: str
    start: int
    end: int
    """Of its quotation marks"""
    described: bool
    """Below a key that begins with @: what ARB says of a message"""


class JsonCatalog(DocumentFormat):
    """Texts by nested keys. What is there already stands in a file with the same keys, `existing`."""

    name = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".arb")

    def open(self, asked: Asked) -> Document:
        file, values = _read(asked, existing=False)
        known = {} if asked.existing is None else {v.key: v.text for v in _read(asked, existing=True)[1]}
        return JsonDocument(asked, file, values, known)


class JsonDocument(Document):
    """A catalog whose values are replaced where they stand."""

    def __init__(self, asked: Asked, file: FileText, values: list[Value], known: dict[str, str]) -> None:
        self.file = file
        self.values = [value for value in values if not value.described and value.text.strip()]
        self.locales = [value for value in values if value.key == _LOCALE]
        self.target = asked.target.replace("-", "_")
        self.ascii = file.text.isascii() and "\\u" in file.text
        self.kept = [
            known[v.key] if known.get(v.key) and known[v.key] != v.text and not asked.again else None
            for v in self.values
        ]
        self.slots = [
            Slot(f"#{value.key}", value.text, finished=kept is not None)
            for value, kept in zip(self.values, self.kept, strict=True)
        ]

    def filled(self, answers: Sequence[Answer | None]) -> bytes:
        """As `Document.filled`; the catalog also says its new language where it says one (`@@locale`)."""
        changes = [(value.start, value.end, self._written(self.target)) for value in self.locales]
        for value, kept, answer in zip(self.values, self.kept, answers, strict=True):
            text = answer.text if answer is not None and not answer.note else kept
            if text is not None and text != value.text:
                changes.append((value.start, value.end, self._written(text)))
        return self.file.bytes_with(spliced(self.file.text, changes))

    def _written(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=self.ascii)


def _read(asked: Asked, existing: bool) -> tuple[FileText, list[Value]]:
    path = asked.existing if existing and asked.existing is not None else asked.path
    file = file_text(path)
    try:
        json.loads(file.text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error}); export it again") from None
    return file, list(_values(file.text))


def _values(text: str) -> Iterator[Value]:
    """The texts of well-formed JSON with their keys and places."""
    stack: list[str | int] = []
    place, key_comes = 0, False
    while match := _TOKEN.match(text, place):
        token, place = match[1], match.end()
        if token[0] == '"':
            content = json.loads(token)
            if key_comes:
                stack[-1], key_comes = content, False
            else:
                described = any(isinstance(name, str) and name.startswith("@") for name in stack)
                yield Value(_dotted(stack), content, match.start(1), place, described)
        elif token in "{[":
            stack.append("" if token == "{" else 0)
            key_comes = token == "{"
        elif token in "}]":
            stack.pop()
            key_comes = False
        elif token == ",":
            key_comes = isinstance(stack[-1], str)
            if isinstance(last := stack[-1], int):
                stack[-1] = last + 1


def _dotted(stack: Sequence[str | int]) -> str:
    parts = (f"[{name}]" if isinstance(name, int) else f".{name}" for name in stack)
    return "".join(parts).removeprefix(".")


register_document(JsonCatalog())
