"""Pages of Mallard (projectmallard.org/1.0), the format of GNOME's manuals: the paragraphs that a reader sees.

    titles_of(content, place)           -> what links call the page and its sections
    read_blocks(content, titles, place) -> titles, paragraphs and cells in their order, as plain texts

A translated page is made from the English one by replacing texts, so the blocks of both go one by one. Left out are
what is not shown (information about the page, editors' comments), what is not translated (code), captions, and what
only another desktop shows (`if:test`). Markup inside a block is dropped; keys and menus are joined as the viewer does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from dragoman.data.corpora.segments import InputError

MALLARD = "{http://projectmallard.org/1.0/}"
_IF = "{http://projectmallard.org/if/1.0/}"
BLOCKS = ("title", "p", "td")
HIDDEN = ("info", "comment", "media", "figure", "links", "code", "screen")
JOINED = {"keyseq": "+", "guiseq": " ▸ "}
Titles = Mapping[str, str]
"""`page` and `page#section` -> title"""


@dataclass(frozen=True)
class Block:
    """A title, a paragraph or a cell."""

    kind: str
    text: str


def titles_of(content: bytes, place: str) -> dict[str, str]:
    """By `page` and `page#section`; InputError names the place of what is no page."""
    root = _root(content, place)
    page = root.get("id", "")
    found = {}
    for element in root.iter(f"{MALLARD}page", f"{MALLARD}section"):
        title = element.find(f"{MALLARD}title")
        if title is not None:
            found[page if element is root else f"{page}#{element.get('id', '')}"] = _plain(title, {})
    return found


def read_blocks(content: bytes, titles: Titles, place: str) -> list[Block]:
    """The blocks of a page, also those without text; a link without text shows the title of what it leads to.

    Raises InputError as `titles_of` does.
    """
    root = _root(content, place)
    own = f"{root.get('id', '')}#"
    inside = {f"#{name.removeprefix(own)}": title for name, title in titles.items() if name.startswith(own)}
    return list(_blocks(root, {**titles, **inside}))


def _root(content: bytes, place: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"{place} is no well-formed XML ({error}); take the file as it came") from None
    if root.tag != f"{MALLARD}page":
        raise InputError(f"{place} begins with {root.tag}, and a page of Mallard with {MALLARD}page; leave it out")
    return root


def _blocks(parent: Any, titles: Titles) -> Iterator[Block]:
    for element in parent:
        kind = str(element.tag).removeprefix(MALLARD)
        if kind in HIDDEN or not _is_shown(element):
            continue
        if kind in BLOCKS and element.find(f"{MALLARD}p") is None:
            yield Block(kind, _plain(element, titles))
        else:
            yield from _blocks(element, titles)


def _is_shown(element: Any) -> bool:
    """Whether one of the alternatives of its condition asks for nothing that a plain desktop lacks."""
    condition = element.get(f"{_IF}test") or (element.get("test") if str(element.tag).startswith(_IF) else None)
    alternatives = (condition or "!").split(",")
    return any(all(word.startswith("!") for word in one.split()) for one in alternatives)


def _plain(element: Any, titles: Titles) -> str:
    """One line of text."""
    return " ".join("".join(_texts(element, titles)).split())


def _texts(element: Any, titles: Titles) -> Iterator[str]:
    kind = str(element.tag).removeprefix(MALLARD)
    if kind in JOINED:
        yield JOINED[kind].join(_plain(child, titles) for child in element)
        return
    if kind == "link" and not "".join(element.itertext()).strip():
        yield titles.get(element.get("xref", ""), "")
    yield element.text or ""
    for child in element:
        yield from _texts(child, titles)
        yield child.tail or ""
