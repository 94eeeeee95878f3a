"""Translation memories and files of translation tools, filled in place: TMX, XLIFF 1.2 and 2.x.

| | left alone | a translation is written as | one with a fault |
|---|---|---|---|
| TMX | a unit that has the target language | a `<tuv>` behind the source's | is not written |
| XLIFF 1.2 | a target without a state, `translated`, `signed-off`, `final`; `approved="yes"` | `translated`, `leveraged-mt` | `needs-review-translation` |
| XLIFF 2.x | a target without a state, `translated`, `reviewed`, `final` | `translated` | `initial` |

What says `translate="no"` is no text to translate, whatever is asked.
"""  # noqa: E501

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dragoman.data.corpora.segments import InputError
from dragoman.data.documents.base import (
    Answer,
    Asked,
    Document,
    DocumentFormat,
    Slot,
    check_language,
    register_document,
)
from dragoman.data.readers.inline import inline_text
from dragoman.data.readers.texts import FileText, spliced
from dragoman.data.readers.units import ExchangeUnit, exchange_units, memory_units
from dragoman.data.readers.xml_tree import Element, read_tree, with_attributes

Change = tuple[int, int, str]
_OPEN_1 = ("new", "needs-translation", "needs-adaptation", "needs-l10n")
_REVIEW_1 = ("needs-review-translation", "needs-review-adaptation", "needs-review-l10n")


@dataclass(frozen=True)
class Unit:
    """A text and where its translation goes."""

    place: str
    source: Element
    behind: Element
    """The element that a new translation follows"""
    target: Element | None
    finished: bool
    holder: Element
    """The element that says the state, in XLIFF 2.x"""


class XmlDocument(Document):
    """The units of a file; a subclass says how a translation is written."""

    def __init__(self, asked: Asked, file: FileText, root: Element) -> None:
        self.asked, self.file, self.root = asked, file, root
        read = [(unit, inline_text(file.text, unit.source)) for unit in self.read()]
        self.units = [(unit, text) for unit, text in read if text.text.strip()]
        self.slots = [Slot(unit.place, text.text, unit.finished, text.codes, text.keeps) for unit, text in self.units]

    @abstractmethod
    def read(self) -> Iterator[Unit]:
        """The units in order."""

    @abstractmethod
    def written(self, unit: Unit, content: str, answer: Answer) -> Iterator[Change]:
        """The changes that put a translation, already XML, into a unit."""

    def heads(self) -> Iterator[Change]:
        """What else has to be said once a translation is there."""
        yield from ()

    def filled(self, answers: Sequence[Answer | None]) -> bytes:
        """As `Document.filled`."""
        changes: list[Change] = []
        for (unit, text), answer in zip(self.units, answers, strict=True):
            if answer is not None:
                changes += self.written(unit, text.restored(answer.text), answer)
        if changes:
            changes += self.heads()
        return self.file.bytes_with(spliced(self.file.text, changes), "xmlcharrefreplace")

    def has_text(self, element: Element | None) -> bool:
        """Whether anything but white space stands in an element."""
        return element is not None and bool(self.file.text[element.inner : element.close].strip())

    def translatable(self, source: str, target: str) -> Iterator[ExchangeUnit]:
        """The units of an XLIFF file that may be translated; InputError when one is of other languages."""
        for found in exchange_units(self.root.ended()):
            check_language(self.asked.path, source, found.source_language, self.asked.source)
            check_language(self.asked.path, target, found.target_language, self.asked.target)
            if found.translatable:
                yield found

    def tag(self, element: Element) -> str:
        """The start tag as it is written."""
        return self.file.text[element.start : element.inner]

    def indent(self, element: Element) -> str:
        """The line break and white space in front of an element, if there is nothing else."""
        match = re.search(r"(?:\r?\n[ \t]*)\Z", self.file.text[max(0, element.start - 400) : element.start])
        return match[0] if match else ""

    def filled_element(self, element: Element, content: str, values: dict[str, str | None]) -> Iterator[Change]:
        """An element with another content, its attributes set."""
        tag = with_attributes(self.tag(element), values)
        if element.end == element.inner:
            tag = re.sub(r"\s*/>\Z", ">", tag)
            yield element.start, element.end, f"{tag}{content}</{element.prefix}{element.name}>"
        else:
            yield element.start, element.inner, tag
            yield element.inner, element.close, content


class TmxDocument(XmlDocument):
    """Units of a memory."""

    def read(self) -> Iterator[Unit]:
        """The units that have the source language."""
        for found in memory_units(self.root.ended()):
            source, target = found.of(self.asked.source), found.of(self.asked.target)
            if source is not None:
                there = None if target is None else target.segment
                finished = self.has_text(there) and not self.asked.again
                yield Unit(found.place, source.segment, found.variants[-1].element, there, finished, source.element)

    def written(self, unit: Unit, content: str, answer: Answer) -> Iterator[Change]:
        """A variant of the target language; none for a translation with a fault."""
        if answer.note:
            return
        if unit.target is not None:
            yield from self.filled_element(unit.target, content, {})
            return
        source, prefix = unit.holder, unit.holder.prefix
        name = "xml:lang" if "xml:lang" in source.attributes else "lang"
        outer, inner = self.indent(source), self.indent(unit.source)
        new = f'{outer}<{prefix}tuv {name}="{self.asked.target}">{inner}<{prefix}seg>{content}</{prefix}seg>'
        yield unit.behind.end, unit.behind.end, f"{new}{outer if inner else ''}</{prefix}tuv>"


class Xliff1Document(XmlDocument):
    """`<trans-unit>`s of XLIFF 1.2."""

    def read(self) -> Iterator[Unit]:
        """Units that may be translated."""
        for found in self.translatable("source-language", "target-language"):
            done = found.approved or found.state not in (*_OPEN_1, *_REVIEW_1)
            finished = self.has_text(found.target) and done and not self.asked.again
            source = found.segmented or found.source
            yield Unit(found.place, source, source, found.target, finished, found.element)

    def written(self, unit: Unit, content: str, answer: Answer) -> Iterator[Change]:
        """The target with its state."""
        state = "needs-review-translation" if answer.note else "translated"
        values = {"state": state, "state-qualifier": "leveraged-mt"}
        if unit.target is not None:
            yield from self.filled_element(unit.target, content, dict(values))
        else:
            prefix = unit.source.prefix
            tag = with_attributes(f"<{prefix}target>", dict(values))
            place = unit.behind.end
            yield place, place, f"{self.indent(unit.behind)}{tag}{content}</{prefix}target>"
        if unit.holder.attributes.get("approved") == "yes":
            tag = with_attributes(self.tag(unit.holder), {"approved": "no"})
            yield unit.holder.start, unit.holder.inner, tag

    def heads(self) -> Iterator[Change]:
        """The language of the targets, where the file does not say it."""
        for file in self.root.all("file"):
            if not file.attributes.get("target-language"):
                yield file.start, file.inner, with_attributes(self.tag(file), {"target-language": self.asked.target})


class Xliff2Document(XmlDocument):
    """`<segment>`s of XLIFF 2.x."""

    def read(self) -> Iterator[Unit]:
        """Segments that may be translated."""
        for found in self.translatable("srcLang", "trgLang"):
            finished = self.has_text(found.target) and found.state != "initial" and not self.asked.again
            yield Unit(found.place, found.source, found.source, found.target, finished, found.element)

    def written(self, unit: Unit, content: str, answer: Answer) -> Iterator[Change]:
        """The target, and the state of its segment."""
        values: dict[str, str | None] = {"state": "initial" if answer.note else "translated", "subState": None}
        yield unit.holder.start, unit.holder.inner, with_attributes(self.tag(unit.holder), values)
        if unit.target is not None:
            yield from self.filled_element(unit.target, content, {})
        else:
            prefix, place = unit.source.prefix, unit.source.end
            yield place, place, f"{self.indent(unit.source)}<{prefix}target>{content}</{prefix}target>"

    def heads(self) -> Iterator[Change]:
        """The language of the targets, without which targets are not allowed."""
        if not self.root.attributes.get("trgLang"):
            yield self.root.start, self.root.inner, with_attributes(self.tag(self.root), {"trgLang": self.asked.target})


class Tmx(DocumentFormat):
    """TMX 1.4."""

    name = "tmx"
    suffixes: ClassVar[tuple[str, ...]] = (".tmx",)

    def open(self, asked: Asked) -> Document:
        file, root = read_tree(asked.path)
        found = TmxDocument(asked, file, root)
        if not found.units:
            raise InputError(f"{asked.path} holds no text in {asked.source!r}; name a language that it has with --from")
        return found


class Xliff(DocumentFormat):
    """XLIFF 1.2 and 2.x."""

    name = "xliff"
    suffixes: ClassVar[tuple[str, ...]] = (".xlf", ".xliff")

    def open(self, asked: Asked) -> Document:
        file, root = read_tree(asked.path)
        kind = Xliff2Document if root.attributes.get("version", "1.2").startswith("2") else Xliff1Document
        return kind(asked, file, root)


register_document(Tmx())
register_document(Xliff())
