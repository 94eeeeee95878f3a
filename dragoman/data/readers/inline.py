"""Inline codes of translation tools as pieces of text that a model can carry over, and back.

    Click <g id="1">here</g> or <x id="2"/>.     elements with text: a pair of tags; others: one tag
    Hello <ph x="1">{name}</ph>                   native code that is plain to see stands for itself: Hello {name}

Of an answer every known piece becomes the element it stands for, once; pairs that do not nest are dropped, so that the
result is always well-formed. Whether something was lost is said by `documents.checking.fault`.

Text to train on (`plain_text`) needs no way back: there native code always stands for itself, and marks (`<hi>`,
`<mrk>`) are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dragoman.data.readers.xml_tree import Element, characters, escaped

_OPAQUE = ("ph", "bpt", "ept", "it", "ut", "x", "bx", "ex", "sc", "ec", "sm", "em", "cp")
"""Elements whose content, if any, is no text to translate (TMX, XLIFF)"""
_NATIVE = ("ph", "bpt", "ept", "it", "ut")
"""Elements whose content is a native code (TMX, XLIFF 1.2); without content they stand for one"""
_MARKS = ("hi", "sub", "mrk", "sm", "em")
"""Elements that mark text and are no code"""
_IDENTIFIERS = ("id", "mid", "x", "i", "startRef")


@dataclass(frozen=True)
class Piece:
    """A tag of the file and what stands for it in the text."""

    shown: str
    written: str
    pair: int
    """Number of the element whose tags are two pieces; -1 for one that is a single piece"""
    opens: bool = False


@dataclass(frozen=True)
class InlineText:
    """The content of a `<source>` or `<seg>`."""

    text: str
    pieces: tuple[Piece, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The pieces as they stand in the text."""
        return tuple(dict.fromkeys(piece.shown for piece in self.pieces))

    def keeps(self, answer: str) -> bool:
        """Whether every code of the text finds its place again."""
        return not self._read(answer)[1]

    def restored(self, answer: str) -> str:
        """An answer as XML."""
        return self._read(answer)[0]

    def _read(self, answer: str) -> tuple[str, bool]:
        """An answer as XML, and whether a code of the text is not in it."""
        if not self.pieces:
            return escaped(answer), False
        left = list(self.pieces)
        found: list[str] = []
        opened: list[tuple[int, int]] = []
        """Pair and place in `found`"""
        for part in re.split("(" + "|".join(map(re.escape, sorted(self.codes, key=len, reverse=True))) + ")", answer):
            piece = _taken(left, part, opened)
            if piece is None:
                found.append("" if part in self.codes else escaped(part))
                continue
            if piece.opens:
                opened.append((piece.pair, len(found)))
            elif piece.pair >= 0:
                opened.pop()
            found.append(piece.written)
        dropped = {place for _, place in opened}
        return "".join(written for place, written in enumerate(found) if place not in dropped), bool(left or dropped)


def _taken(left: list[Piece], part: str, opened: list[tuple[int, int]]) -> Piece | None:
    """The piece that a part of an answer is, taken from those left; a closing one closes what was opened last."""
    inside = opened[-1][0] if opened else None
    piece = next((p for p in left if p.shown == part and (p.pair < 0 or p.opens or p.pair == inside)), None)
    if piece is not None:
        left.remove(piece)
    return piece


def inline_text(xml: str, element: Element) -> InlineText:
    """What is to be translated of an element. `xml` is the whole file."""
    pieces: list[Piece] = []
    reader = _Reader(xml, characters(xml[element.inner : element.close]), _all_plain(xml, element))
    text = _content(reader, element, pieces)
    return InlineText(text, tuple(pieces))


def plain_text(xml: str, element: Element | None) -> str:
    """The text of a `<source>`, `<target>` or `<seg>` for training; empty without one. `xml` is the whole file."""
    if element is None:
        return ""
    parts, done = [], element.inner
    for child in element.children:
        parts += [characters(xml[done : child.start]), _plain(xml, child)]
        done = child.end
    return "".join([*parts, characters(xml[done : element.close])])


def _plain(xml: str, child: Element) -> str:
    inner = plain_text(xml, child)
    if child.name in _MARKS or (child.name in _NATIVE and inner):
        return inner
    number = next((child.attributes[a] for a in _IDENTIFIERS if child.attributes.get(a)), "")
    mark = f'{child.name} id="{number}"' if number else child.name
    return f"<{mark}>{inner}</{child.name}>" if inner else f"<{mark}/>"


@dataclass(frozen=True)
class _Reader:
    xml: str
    taken: str
    """All characters of the element, native codes among them"""
    native: bool
    """Whether native codes stand for themselves"""


def _content(reader: _Reader, element: Element, pieces: list[Piece]) -> str:
    parts, done = [], element.inner
    for child in element.children:
        parts += [characters(reader.xml[done : child.start]), _shown(reader, child, pieces)]
        done = child.end
    return "".join([*parts, characters(reader.xml[done : element.close])])


def _shown(reader: _Reader, child: Element, pieces: list[Piece]) -> str:
    name, xml = child.name, reader.xml
    number = next((child.attributes[a] for a in _IDENTIFIERS if a in child.attributes), str(len(pieces) + 1))
    used = {piece.shown for piece in pieces}
    if _is_opaque(child):
        native = characters(xml[child.inner : child.close])
        shown = native if native and reader.native else _free(name, number, "/>", used, reader.taken)
        pieces.append(Piece(shown, xml[child.start : child.end], -1))
        return shown
    pair = len(pieces)
    opening = _free(name, number, ">", used, reader.taken)
    pieces.append(Piece(opening, xml[child.start : child.inner], pair, opens=True))
    inner = _content(reader, child, pieces)
    pieces.append(Piece(f"</{name}>", xml[child.close : child.end], pair))
    return f"{opening}{inner}</{name}>"


def _is_opaque(element: Element) -> bool:
    return element.name in _OPAQUE or element.close == element.inner


def _all_plain(xml: str, element: Element) -> bool:
    """Whether each native code of a text stands in it once, so that it says by itself which one it is."""
    everything = characters(xml[element.inner : element.close])
    codes = [code for code in _within(element) if _is_opaque(code)]
    natives = [characters(xml[code.inner : code.close]) for code in codes]
    return all(
        not native or (everything.count(native) == 1 and native == native.strip() and not native.isalnum())
        for native in natives
    ) and not any(code.children for code in codes)


def _within(element: Element) -> list[Element]:
    return [found for child in element.children for found in (child, *_within(child))]


def _free(name: str, number: str, end: str, used: set[str], taken: str) -> str:
    """A tag that neither the text nor another code has."""
    label, count = f'<{name} id="{number}"{end}', 0
    while label in used or label in taken:
        count += 1
        label = f'<{name} id="{number}-{count}"{end}'
    return label
