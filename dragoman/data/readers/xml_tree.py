"""Where the elements of a well-formed XML text stand. lxml has read the text before and found it well-formed; here only
places are found, so that a file is changed without being written anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path

from dragoman.data.corpora.segments import InputError
from dragoman.data.readers.texts import FileText, xml_text

_PIECE = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<!DOCTYPE(?:[^\[>\"']|\"[^\"]*\"|'[^']*')*(?:\[.*?\]\s*)?>"
    r"|<(?P<close>/?)(?P<name>[^\s<>/!?]+)(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Element:
    """An element and the places of its tags in the text."""

    name: str
    """Without its prefix"""
    prefix: str
    """With its colon"""
    attributes: dict[str, str]
    """By their names as written"""
    start: int
    inner: int
    """Where its content begins"""
    close: int = 0
    """Where its content ends; `inner` for an empty element"""
    end: int = 0
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        """The first child of a name and of this element's prefix."""
        return next((c for c in self.children if c.name == name and c.prefix == self.prefix), None)

    def all(self, name: str) -> Iterator[Element]:
        """Every element of a name below, of this element's prefix."""
        stack = self.children[::-1]
        while stack:
            element = stack.pop()
            if element.name == name and element.prefix == self.prefix:
                yield element
            stack += element.children[::-1]

    def ended(self) -> Iterator[Element]:
        """Every element below and this one, in the order in which they end."""
        for child in self.children:
            yield from child.ended()
        yield self

    def inherited(self, attribute: str) -> str | None:
        """The attribute's value here or at the nearest element around that has it."""
        element: Element | None = self
        while element is not None and attribute not in element.attributes:
            element = element.parent
        return None if element is None else element.attributes[attribute]


def read_tree(path: Path) -> tuple[FileText, Element]:
    """A file's text and its root; InputError for XML that is not well-formed, or that declares entities of its own."""
    file = checked_text(path)
    return file, tree(file.text, str(path))


def checked_text(path: Path) -> FileText:
    """The text of a file that is well-formed XML; InputError where it is not."""
    check_well_formed(path)
    return xml_text(path)


def check_well_formed(path: Path) -> None:
    """InputError names the line where a file is no XML; nothing is kept and no external entity is read."""
    from lxml import etree

    try:
        with path.open("rb") as stream:
            etree.parse(stream, etree.XMLParser(target=_Nothing(), resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path}:{error.lineno} is no well-formed XML ({error.msg}); export the file again") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; give the path of a file") from None


class _Nothing:
    """What becomes of a file that is only checked."""

    def start(self, tag: str, attributes: object) -> None:
        """Not kept."""

    def end(self, tag: str) -> None:
        """Not kept."""

    def data(self, text: str) -> None:
        """Not kept."""

    def close(self) -> None:
        """Nothing to give back."""


def tree(text: str, name: str = "the text") -> Element:
    """The root of a well-formed text."""
    *_, root = closed(text, name)
    root.parent = None
    return root


def streamed(text: str, name: str, kinds: Collection[str]) -> Iterator[Element]:
    """As `closed`; an element of these kinds is forgotten once it was looked at, so that memory holds one at a time."""
    for element in closed(text, name):
        yield element
        if element.name in kinds and element.parent is not None:
            element.parent.children.pop()


def closed(text: str, name: str = "the text") -> Iterator[Element]:
    """The elements of a well-formed text, each when it ends: the root last."""
    open_elements = [Element("", "", {}, 0, 0)]
    for match in _PIECE.finditer(text):
        if match["name"] is None:
            if match[0].startswith("<!DOCTYPE") and "<!ENTITY" in match[0]:
                raise InputError(f"{name} declares entities of its own, which are not read; export it without them")
        elif match["close"]:
            element = open_elements.pop()
            element.close, element.end = match.start(), match.end()
            yield element
        else:
            prefix, _, local = match["name"].rpartition(":")
            attributes = {key: unescape(a or b) for key, a, b in _ATTRIBUTE.findall(match["attributes"])}
            parent = open_elements[-1]
            element = Element(local, prefix and prefix + ":", attributes, match.start(), match.end(), parent=parent)
            parent.children.append(element)
            if match["empty"]:
                element.close = element.end = match.end()
                yield element
            else:
                open_elements.append(element)


def characters(text: str) -> str:
    """What a piece of XML without elements says: entities and CDATA read, comments and instructions left out."""
    parts, done = [], 0
    for match in _PIECE.finditer(text):
        parts.append(unescape(text[done : match.start()]))
        if match[0].startswith("<![CDATA["):
            parts.append(match[0][9:-3])
        done = match.end()
    return "".join([*parts, unescape(text[done:])]).replace("\r\n", "\n")


def escaped(text: str) -> str:
    """A text as XML; characters that XML cannot hold are left out."""
    return escape(_NOT_XML.sub("", text), quote=False).replace("\r", "&#13;")


def with_attributes(tag: str, values: dict[str, str | None]) -> str:
    """A start tag with attributes set; those whose value is None are taken out."""
    for name, value in values.items():
        there = re.search(rf"\s+{re.escape(name)}\s*=\s*(?:\"[^\"]*\"|'[^']*')", tag)
        new = "" if value is None else f' {name}="{escape(value)}"'
        if there:
            tag = tag[: there.start()] + new + tag[there.end() :]
        elif new:
            cut = len(tag) - (2 if tag.endswith("/>") else 1)
            tag = tag[:cut].rstrip() + new + tag[cut:]
    return tag
