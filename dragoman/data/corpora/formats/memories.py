"""Translation memories and files of translation tools: TMX 1.4, XLIFF 1.2 and 2.x.

Inline codes become text: the native code that a `<ph>` or `<bpt>` of TMX holds, and tags such as `<g id="1">` of XLIFF,
which have the same form on both sides, so that what must survive a translation is in the segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from dragoman.data.corpora.formats.base import Format, bytes_of, register_format, segment
from dragoman.data.corpora.segments import InputError, Segment

if TYPE_CHECKING:
    from pathlib import Path

    from dragoman.data.corpora.settings import InputSettings

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Tmx(Format):
    """Units of two or more languages; every wanted pair of a unit is a segment."""

    name = "tmx"
    suffixes: ClassVar[tuple[str, ...]] = (".tmx",)

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        root = parsed(asked.file)
        default = root.find("header").get("srclang", "") if root.find("header") is not None else ""
        for number, unit in enumerate(root.iter("tu"), start=1):
            texts = {_language(v): _text(v.find("seg")) for v in unit.iter("tuv") if v.find("seg") is not None}
            place = f"#{unit.get('tuid') or number}"
            source, target = _wanted(asked, list(texts), unit.get("srclang") or default)
            if source and target:
                yield segment(asked, texts[source], texts[target], (source, target), place)


def _language(variant: Any) -> str:
    return str(variant.get(_LANGUAGE) or variant.get("lang") or "und")


def _wanted(asked: InputSettings, there: list[str], default: str) -> tuple[str | None, str | None]:
    """Which two languages of a unit make its segment: those asked for, or the header's source and the first other."""
    if asked.languages is not None:
        source, target = (next((c for c in there if _same(c, wanted)), None) for wanted in asked.languages)
        return source, target
    source = next((code for code in there if _same(code, default)), there[0] if there else None)
    return source, next((code for code in there if code != source), None)


def _same(code: str, wanted: str) -> bool:
    """`en-US` is `en` where no region was asked for."""
    code, wanted = code.replace("_", "-").lower(), wanted.replace("_", "-").lower()
    return code == wanted or ("-" not in wanted and code.partition("-")[0] == wanted)


class Xliff(Format):
    """Units with their state; an `<alt-trans>` of origin or a match is the draft."""

    name = "xliff"
    suffixes: ClassVar[tuple[str, ...]] = (".xlf", ".xliff")

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        root = parsed(asked.file)
        read = _version_2 if root.get("version", "1.2").startswith("2") else _version_1
        for found in read(root, asked):
            if not asked.states or found.state in asked.states:
                yield found


def _version_1(root: Any, asked: InputSettings) -> Iterator[Segment]:
    for file in root.iter("file"):
        languages = _stated(file.get("source-language"), file.get("target-language"), asked)
        for unit in file.iter("trans-unit"):
            target = unit.find("target")
            if target is None or unit.get("translate") == "no":
                continue
            draft = unit.find("alt-trans/target")
            state = target.get("state") or ("final" if unit.get("approved") == "yes" else "")
            yield segment(
                asked, _text(unit.find("source")), _text(target), languages, f"#{unit.get('id')}", state=state,
                draft="" if draft is None else _text(draft),
            )  # fmt: skip


def _version_2(root: Any, asked: InputSettings) -> Iterator[Segment]:
    languages = _stated(root.get("srcLang"), root.get("trgLang"), asked)
    for unit in root.iter("unit"):
        for number, part in enumerate(unit.iter("segment"), start=1):
            target = part.find("target")
            if target is not None and unit.get("translate") != "no":
                place = f"#{unit.get('id')}/{part.get('id') or number}"
                state = part.get("state", "")
                yield segment(asked, _text(part.find("source")), _text(target), languages, place, state=state)


def _stated(source: str | None, target: str | None, asked: InputSettings) -> tuple[str, str]:
    """The file's languages; InputError where it names none and the recipe does not either."""
    if source and target:
        return source, target
    if asked.languages is None:
        raise InputError(f"{asked.path} does not name both of its languages; add languages: [source, target]")
    return asked.languages


def parsed(path: Path) -> Any:
    """The root of an XML file without namespaces; external entities are not read. InputError names the line."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(bytes_of(path), parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path}:{error.lineno} is no well-formed XML ({error.msg}); export the file again") from None
    for element in root.iter():
        if isinstance(element.tag, str) and "}" in element.tag:
            element.tag = element.tag.partition("}")[2]
    return root


def _text(element: Any) -> str:
    """Text of a `<seg>`, `<source>` or `<target>`, inline codes as text."""
    if element is None:
        return ""
    parts = [element.text or ""]
    for child in element:
        parts += [_inline(child), child.tail or ""]
    return "".join(parts)


_HOLDS_CODE = ("ph", "bpt", "ept", "it", "ut")
"""Elements whose content is a native code (TMX, XLIFF 1.2); without content they stand for one"""
_HOLDS_TEXT = ("hi", "sub", "mrk", "sc", "ec", "sm", "em")
"""Elements that mark text and are no code themselves"""


def _inline(element: Any) -> str:
    if not isinstance(element.tag, str):
        return ""  # a processing instruction
    inner = _text(element)
    if element.tag in _HOLDS_TEXT or (element.tag in _HOLDS_CODE and inner):
        return inner
    number = element.get("id") or element.get("x") or element.get("i") or ""
    mark = f'{element.tag} id="{number}"' if number else element.tag
    return f"<{mark}>{inner}</{element.tag}>" if inner else f"<{mark}/>"


register_format(Tmx())
register_format(Xliff())
