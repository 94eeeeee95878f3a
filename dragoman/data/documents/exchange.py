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
    FileText,
    Slot,
    check_language,
    register_document,
    spliced,
)
from dragoman.data.documents.inline import inline_text
from dragoman.data.documents.xml_tree import Element, read_tree, with_attributes

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
        for number, unit in enumerate(self.root.all("tu"), start=1):
            variants = [v for v in unit.children if v.name == "tuv" and v.child("seg") is not None]
            source, target = self._of(variants, self.asked.source), self._of(variants, self.asked.target)
            if source is not None and (segment := source.child("seg")) is not None:
                there = target.child("seg") if target is not None else None
                full = there is not None and bool(self.file.text[there.inner : there.close].strip())
                place = f"#{unit.attributes.get('tuid') or number}"
                yield Unit(place, segment, variants[-1], there, full and not self.asked.again, source)

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

    def _of(self, variants: Sequence[Element], wanted: str) -> Element | None:
        """The variant of a language: of just this code, else of the language in any region."""
        codes = [
            (v.attributes.get("xml:lang") or v.attributes.get("lang") or "").replace("_", "-").lower() for v in variants
        ]
        wanted = wanted.replace("_", "-").lower()
        exact = next((v for v, code in zip(variants, codes, strict=True) if code == wanted), None)
        near = (v for v, code in zip(variants, codes, strict=True) if code.partition("-")[0] == wanted)
        return exact or next(near, None)


class Xliff1Document(XmlDocument):
    """`<trans-unit>`s of XLIFF 1.2."""

    def read(self) -> Iterator[Unit]:
        """Units that may be translated."""
        for file in self.root.all("file"):
            check_language(
                self.asked.path, "source-language", file.attributes.get("source-language"), self.asked.source
            )
            check_language(
                self.asked.path, "target-language", file.attributes.get("target-language"), self.asked.target
            )
            for unit in file.all("trans-unit"):
                source, target = unit.child("source"), unit.child("target")
                if source is None or unit.inherited("translate") == "no":
                    continue
                segmented = unit.child("seg-source")
                state = "" if target is None else target.attributes.get("state", "")
                full = target is not None and bool(self.file.text[target.inner : target.close].strip())
                done = unit.attributes.get("approved") == "yes" or state not in (*_OPEN_1, *_REVIEW_1)
                place = f"#{unit.attributes.get('id')}"
                finished = full and done and not self.asked.again
                yield Unit(place, segmented or source, segmented or source, target, finished, unit)

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
        check_language(self.asked.path, "srcLang", self.root.attributes.get("srcLang"), self.asked.source)
        check_language(self.asked.path, "trgLang", self.root.attributes.get("trgLang"), self.asked.target)
        for unit in self.root.all("unit"):
            for number, part in enumerate((c for c in unit.children if c.name == "segment"), start=1):
                source, target = part.child("source"), part.child("target")
                if source is None or unit.inherited("translate") == "no":
                    continue
                full = target is not None and bool(self.file.text[target.inner : target.close].strip())
                finished = full and part.attributes.get("state") != "initial" and not self.asked.again
                place = f"#{unit.attributes.get('id')}/{part.attributes.get('id') or number}"
                yield Unit(place, source, source, target, finished, part)

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
