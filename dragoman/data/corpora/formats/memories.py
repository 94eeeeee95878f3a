"""Translation memories and files of translation tools: TMX 1.4, XLIFF 1.2 and 2.x.

Inline codes become text: the native code that a `<ph>` or `<bpt>` of TMX holds, and tags such as `<g id="1">` of XLIFF,
which have the same form on both sides, so that what must survive a translation is in the segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dragoman.data.corpora.formats.base import Format, languages_of, register_format, segment
from dragoman.data.corpora.segments import Segment
from dragoman.data.readers.inline import plain_text
from dragoman.data.readers.units import ExchangeUnit, MemoryUnit, Variant, exchange_units, memory_units
from dragoman.data.readers.xml_tree import Element, checked_text, streamed

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings


class Tmx(Format):
    """Units of two or more languages; of each the wanted pair is a segment."""

    name = "tmx"
    suffixes: ClassVar[tuple[str, ...]] = (".tmx",)

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        file = checked_text(asked.file)
        for unit in memory_units(streamed(file.text, asked.path, ("tu",))):
            source, target = _wanted(asked, unit)
            if source and target:
                first, second = (plain_text(file.text, variant.segment) for variant in (source, target))
                yield segment(asked, first, second, (source.language, target.language), unit.place)


def _wanted(asked: InputSettings, unit: MemoryUnit) -> tuple[Variant | None, Variant | None]:
    """The two languages asked for, or the header's source and the first other."""
    if asked.languages is not None:
        return unit.of(asked.languages[0]), unit.of(asked.languages[1])
    source = unit.of(unit.source_language) or next(iter(unit.variants), None)
    return source, next((v for v in unit.variants if source and v.language != source.language), None)


class Xliff(Format):
    """Units with their state; an `<alt-trans>` or a match is the draft."""

    name = "xliff"
    suffixes: ClassVar[tuple[str, ...]] = (".xlf", ".xliff")

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        file = checked_text(asked.file)
        for unit in exchange_units(streamed(file.text, asked.path, ("trans-unit", "unit"))):
            state = unit.state or ("final" if unit.approved else "")
            if unit.target is not None and unit.translatable and (not asked.states or state in asked.states):
                source, target, draft = (_spaced(file.text, e) for e in (unit.source, unit.target, unit.draft))
                yield segment(asked, source, target, _languages(unit, asked), unit.place, state=state, draft=draft)


def _spaced(xml: str, element: Element | None) -> str:
    """A text of XLIFF, whose white space is layout unless `xml:space` says `preserve` here or around."""
    text = plain_text(xml, element)
    kept = element is not None and element.inherited("xml:space") == "preserve"
    return text if kept else re.sub(r"[ \t\r\n]+", " ", text).strip()


def _languages(unit: ExchangeUnit, asked: InputSettings) -> tuple[str, str]:
    """The file's; the recipe's where it does not name both."""
    stated = unit.source_language, unit.target_language
    return stated if all(stated) else languages_of(asked)


register_format(Tmx())
register_format(Xliff())
