"""Catalogs of gettext: the lines of each `msgstr` and the `fuzzy` flag are written anew, every other line stays.

A translation with a fault, and a plural of which two forms could only be asked by the same text (Slavic languages have
more forms than English), is written as fuzzy, which gettext does not use until somebody has looked at it.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dragoman.data.documents.base import (
    Answer,
    Asked,
    Document,
    DocumentFormat,
    Slot,
    check_language,
    register_document,
)
from dragoman.data.readers.po_entries import ESCAPES, Catalog, Entry, read_catalog
from dragoman.text.messages import compare
from dragoman.text.plurals import MOST

_WRITTEN = {"\\": "\\\\", '"': '\\"', **{text: f"\\{name}" for name, text in ESCAPES.items()}}


class Po(DocumentFormat):
    """Messages of which a form is missing, or that are fuzzy."""

    name = "po"
    suffixes: ClassVar[tuple[str, ...]] = (".po", ".pot")

    def open(self, asked: Asked) -> Document:
        return PoDocument(asked, read_catalog(asked.path))


class PoDocument(Document):
    """The entries of a catalog."""

    def __init__(self, asked: Asked, catalog: Catalog) -> None:
        self.file, self.lines, self.entries = catalog.file, catalog.lines, catalog.entries
        check_language(asked.path, "Language", catalog.language, asked.target)
        self.plural = _plural(catalog.header, asked.target)
        self.wanted = [asked.again or entry.fuzzy or not all(entry.forms.values()) for entry in self.entries]
        self.slots: list[Slot] = []
        self.owners: list[tuple[int, int]] = []
        """Entry and form of each slot"""
        for number, entry in enumerate(self.entries):
            for form, text in self._asked(entry, self.wanted[number]):
                kept = not self.wanted[number] or bool(entry.forms.get(form) and not entry.fuzzy and not asked.again)
                place = f":{entry.begin + 1}" + (f"[{form}]" if "msgid_plural" in entry.texts else "")
                self.owners.append((number, form))
                self.slots.append(Slot(place, text, finished=kept, doubt=self._doubt(entry, form)))

    def filled(self, answers: Sequence[Answer | None]) -> bytes:
        """As `Document.filled`; an entry is written when it has all of its forms."""
        found: dict[int, dict[int, Answer | None]] = {}
        asked: set[int] = set()
        for (number, form), slot, answer in zip(self.owners, self.slots, answers, strict=True):
            kept = Answer(self.entries[number].forms[form]) if slot.finished else None
            found.setdefault(number, {})[form] = answer or kept
            asked |= {number} if answer is not None else set()
        lines: list[str | None] = list(self.lines)
        for number in sorted(asked):
            forms = {form: answer for form, answer in found[number].items() if answer is not None}
            if len(forms) == len(found[number]):
                self._write(lines, self.entries[number], forms)
        return self.file.bytes_with("".join(line for line in lines if line is not None))

    def _asked(self, entry: Entry, wanted: bool) -> Iterator[tuple[int, str]]:
        """Each form with the text that is translated for it."""
        singular, plural = entry.texts["msgid"], entry.texts.get("msgid_plural")
        if plural is None:
            yield 0, singular
            return
        for form in self._forms(entry) if wanted else sorted(entry.forms):
            yield form, singular if self._is_singular(entry, form) else plural

    def _forms(self, entry: Entry) -> list[int]:
        return list(range(self.plural.count)) if self.plural.stated else sorted(entry.forms)

    def _is_singular(self, entry: Entry, form: int) -> bool:
        """Whether a form is shown for 1; one that is shown for 21, too, needs the number that the singular may lack."""
        numbers = [n for n in range(MOST) if self.plural.of(n) == form]
        singular, plural = entry.texts["msgid"], entry.texts["msgid_plural"]
        return 1 in numbers and (numbers in ([1], [0, 1]) or compare(plural, singular).same is not False)

    def _doubt(self, entry: Entry, form: int) -> str:
        if "msgid_plural" not in entry.texts or self._is_singular(entry, form):
            return ""
        alike = [other for other in self._forms(entry) if not self._is_singular(entry, other)]
        return "one text was asked for several plural forms" if len(alike) > 1 else ""

    def _write(self, lines: list[str | None], entry: Entry, found: dict[int, Answer]) -> None:
        end = "\r\n" if self.lines[entry.begin].endswith("\r\n") else "\n"
        plural = "msgid_plural" in entry.texts
        body = "".join(
            _message(f"msgstr[{form}]" if plural else "msgstr", found[form].text, end) for form in sorted(found)
        )
        last = self.lines[entry.lines[-1]]
        for number in entry.lines:
            lines[number] = None
        lines[entry.lines[0]] = body if last.endswith("\n") else body.removesuffix(end)
        fuzzy = any(answer.note for answer in found.values())
        if fuzzy and not entry.fuzzy:
            self._flag(lines, entry, end)
        elif entry.fuzzy and not fuzzy:
            for number in entry.flags:
                flags = [flag.strip() for flag in self.lines[number].strip().removeprefix("#,").split(",")]
                rest = [flag for flag in flags if flag != "fuzzy"]
                if len(rest) < len(flags):
                    lines[number] = f"#, {', '.join(rest)}{end}" if rest else None

    def _flag(self, lines: list[str | None], entry: Entry, end: str) -> None:
        if entry.flags:
            number = entry.flags[0]
            lines[number] = f"#, fuzzy,{self.lines[number].lstrip().removeprefix('#,')}"
        else:
            lines[entry.begin] = f"#, fuzzy{end}{lines[entry.begin]}"


@dataclass(frozen=True)
class Plural:
    """How many plural forms there are, and which one a number takes."""

    count: int
    of: Callable[[int], int]
    stated: bool
    """Whether the catalog says so itself"""


def _plural(header: str, target: str) -> Plural:
    """The header's rule, or the language's where the header leaves it open."""
    from babel.messages.plurals import get_plural

    match = re.search(r"^Plural-Forms:\s*nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;\n]+)", header, re.MULTILINE)
    count, rule = (int(match[1]), match[2]) if match else get_plural(target.replace("-", "_"))[:2]
    try:
        return Plural(count, gettext.c2py(rule), match is not None)
    except ValueError:
        return Plural(count, lambda number: int(number != 1), match is not None)


def _message(keyword: str, text: str, end: str) -> str:
    """A keyword with its text, a line of the file for each line of it."""
    parts = re.findall(r"[^\n]*\n|[^\n]+", text) or [""]
    written = ['"' + "".join(_WRITTEN.get(character, character) for character in part) + '"' for part in parts]
    first = [f'{keyword} ""'] if len(written) > 1 else []
    head = [*first, *written] if first else [f"{keyword} {written[0]}"]
    return "".join(line + end for line in head)


register_document(Po())
