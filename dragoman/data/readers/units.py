"""The units of translation memories and of files of translation tools: TMX 1.4, XLIFF 1.2 and 2.x.

A unit says where its texts stand and what the file says of them; which of them are wanted, the caller knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dragoman.data.readers.xml_tree import Element


@dataclass(frozen=True)
class Variant:
    """A `<tuv>`: a unit's text in one language."""

    language: str
    """As written; `und` where the file says none"""
    element: Element
    segment: Element
    """Its `<seg>`"""


@dataclass(frozen=True)
class MemoryUnit:
    """A `<tu>`."""

    place: str
    source_language: str
    """Its own, or the header's; may be empty"""
    variants: tuple[Variant, ...]

    def of(self, wanted: str) -> Variant | None:
        """The variant of a language: of just this code, else of the language in any region (`en-US` for `en`)."""
        plain = wanted.replace("_", "-").lower()
        codes = [variant.language.replace("_", "-").lower() for variant in self.variants]
        exact = next((v for v, code in zip(self.variants, codes, strict=True) if code == plain), None)
        near = (v for v, code in zip(self.variants, codes, strict=True) if code.partition("-")[0] == plain)
        return exact or next(near, None)


@dataclass(frozen=True)
class ExchangeUnit:
    """A `<trans-unit>` of XLIFF 1.2, a `<segment>` of XLIFF 2.x."""

    place: str
    source_language: str
    target_language: str
    """Both as the file says them; empty where it does not"""
    element: Element
    source: Element
    target: Element | None
    state: str = ""
    approved: bool = False
    translatable: bool = True
    """Whether neither it nor anything around it says `translate="no"`"""
    segmented: Element | None = None
    """XLIFF 1.2's `<seg-source>`"""
    draft: Element | None = None
    """The target of its first match (`<alt-trans>`, `<mtc:match>`)"""


def memory_units(elements: Iterable[Element]) -> Iterator[MemoryUnit]:
    """The units among the elements of a TMX file, those without a text among them."""
    default, number = "", 0
    for element in elements:
        if element.name == "header":
            default = element.attributes.get("srclang", "")
        elif element.name == "tu":
            number += 1
            place = f"#{element.attributes.get('tuid') or number}"
            yield MemoryUnit(place, element.attributes.get("srclang") or default, tuple(_variants(element)))


def _variants(unit: Element) -> Iterator[Variant]:
    for element in unit.children:
        if element.name == "tuv" and (segment := element.child("seg")) is not None:
            language = element.attributes.get("xml:lang") or element.attributes.get("lang") or "und"
            yield Variant(language, element, segment)


def exchange_units(elements: Iterable[Element]) -> Iterator[ExchangeUnit]:
    """The units that have a source among the elements of an XLIFF file, whatever its version."""
    for element in elements:
        if element.name == "trans-unit" and (source := element.child("source")) is not None:
            yield _version_1(element, source)
        elif element.name == "unit":
            yield from _version_2(element)


def _version_1(unit: Element, source: Element) -> ExchangeUnit:
    target = unit.child("target")
    match = next((c for c in unit.children if c.name == "alt-trans" and c.child("target")), None)
    return ExchangeUnit(
        f"#{unit.attributes.get('id')}", unit.inherited("source-language") or "",
        unit.inherited("target-language") or "", unit, source, target,
        "" if target is None else target.attributes.get("state", ""),
        unit.attributes.get("approved") == "yes", unit.inherited("translate") != "no",
        unit.child("seg-source"), None if match is None else match.child("target"),
    )  # fmt: skip


def _version_2(unit: Element) -> Iterator[ExchangeUnit]:
    parts = [child for child in unit.children if child.name == "segment"]
    for number, part in enumerate(parts, start=1):
        source, target = part.child("source"), part.child("target")
        if source is not None:
            yield ExchangeUnit(
                f"#{unit.attributes.get('id')}/{part.attributes.get('id') or number}", unit.inherited("srcLang") or "",
                unit.inherited("trgLang") or "", part, source, target, part.attributes.get("state", ""),
                translatable=unit.inherited("translate") != "no", draft=_match(unit) if len(parts) == 1 else None,
            )  # fmt: skip


def _match(unit: Element) -> Element | None:
    """The first match's target, in a module of its own prefix; only where it is a match of the whole unit."""
    matches = next((child for child in unit.children if child.name == "matches"), None)
    match = next((child for child in matches.children if child.name == "match"), None) if matches else None
    return next((child for child in match.children if child.name == "target"), None) if match else None
