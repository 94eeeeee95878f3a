"""JSON and ARB catalogs: the values that are texts, found where they stand, so that all else stays as it was written.

The format cannot mark a translation: one with a fault is not written, and its text stays the source's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from dragoman.data.documents.base import Answer, Asked, Document, DocumentFormat, Slot, register_document
from dragoman.data.readers.json_values import Value, read_values
from dragoman.data.readers.texts import FileText, spliced

_LOCALE = "@@locale"


class JsonCatalog(DocumentFormat):
    """Texts by nested keys. What is there already stands in a file with the same keys, `existing`."""

    name = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".arb")

    def open(self, asked: Asked) -> Document:
        file, values = read_values(asked.path)
        known = {} if asked.existing is None else {v.key: v.text for v in read_values(asked.existing)[1]}
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


register_document(JsonCatalog())
