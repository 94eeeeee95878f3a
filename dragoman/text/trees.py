"""Documents as trees whose texts are translated: JSON, XML and HTML, each as its leaves.

A leaf is a place that a translation must have again: where it stands, what stands there, and whether that is text to be
translated. Documents are data of a model, so reading them is bounded: `MOST_CHARACTERS`, `MOST_DEPTH`, no document type
(an entity could stand for gigabytes), no NaN; what is beyond raises TreeError.

    JSON   {"menu": {"open": "Open", "size": 3}}  ->  $.menu.open (text), $.menu.size = 3
    XML    <a><b id="x">Open</b> now</a>          ->  /a (text), /a/b (text) = id=x
    HTML   the same; tags that HTML lets open (`<p>`, `<li>`) are closed as a browser would, void ones have no inside
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Literal, get_args
from xml.etree import ElementTree

from dragoman.text.markup import TRANSLATED_ATTRIBUTES, VOID_TAGS
from dragoman.text.tables import listed

MOST_CHARACTERS = 100_000
MOST_DEPTH = 64
Format = Literal["json", "xml", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)
_FENCE = re.compile(r"\A\s*```[\w-]*[^\S\n]*\n(.*?)\n?[^\S\n]*```\s*\Z", re.DOTALL)
_CLOSED_BY = {
    "li": listed("li"), "dt": listed("dt dd"), "dd": listed("dt dd"), "option": listed("option optgroup"),
    "tr": listed("tr tbody tfoot"), "td": listed("td th tr tbody tfoot"), "th": listed("td th tr tbody tfoot"),
    "p": listed("address article aside blockquote div dl fieldset footer form h1 h2 h3 h4 h5 h6 header hr main nav ol "
                "p pre section table ul"),
}  # fmt: skip
"""Elements that HTML lets open, and the tags whose beginning ends them"""


class TreeError(ValueError):
    """A text that is no document of its format, or too large a one; the text says where."""


@dataclass(frozen=True)
class Leaf:
    """A place of a document."""

    path: str
    """Where it stands"""
    text: str | None
    """What is to be translated; None where there is only a value"""
    value: str = ""
    """What must stay: a number, truth or null as JSON, an element's attributes"""


def without_fence(text: str) -> str:
    """What a code fence around the whole holds; the text as it is without one."""
    match = _FENCE.match(text)
    return match[1] if match else text.strip()


def leaves(text: str, form: Format) -> list[Leaf]:
    """The leaves in their order; TreeError when the text is no document of that format."""
    if len(text) > MOST_CHARACTERS:
        raise TreeError(f"it has more than {MOST_CHARACTERS:,} characters")
    return {"json": _json_leaves, "xml": _xml_leaves, "html": _html_leaves}[form](text)


def text_of(text: str, form: Format | None) -> str:
    """The texts of a document, a line each; a text that is no such document, or without a format, as it is."""
    if form is None:
        return text
    try:
        return "\n".join(leaf.text for leaf in leaves(without_fence(text), form) if leaf.text)
    except TreeError:
        return text


def _json_leaves(text: str) -> list[Leaf]:
    try:
        found = json.loads(text, object_pairs_hook=_different_keys, parse_constant=_no_number)
    except RecursionError:
        raise TreeError(f"it is nested deeper than {MOST_DEPTH}") from None
    except ValueError as error:
        raise TreeError(f"it is no JSON: {error}") from None
    return list(_of_value(found, "$", 0))


def _of_value(value: Any, path: str, depth: int) -> Iterator[Leaf]:
    if depth > MOST_DEPTH:
        raise TreeError(f"it is nested deeper than {MOST_DEPTH}")
    if isinstance(value, dict | list) and value:
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in inner:
            step = f"[{key}]" if isinstance(key, int) else f".{key}"
            yield from _of_value(item, path + step, depth + 1)
    elif isinstance(value, str):
        yield Leaf(path, value)
    else:
        yield Leaf(path, None, json.dumps(value))


def _different_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"key {twice!r} stands twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _xml_leaves(text: str) -> list[Leaf]:
    if re.search(r"<!(?!--|\[CDATA\[)", text):
        raise TreeError("it declares a document type")
    try:
        root = ElementTree.fromstring(re.sub(r"\A\s*<\?xml[^>]*\?>", "", text))
    except (ElementTree.ParseError, RecursionError) as error:
        raise TreeError(f"it is no XML: {error}") from None
    return list(_of_element(root, "", 0))


def _of_element(element: ElementTree.Element, path: str, depth: int) -> Iterator[Leaf]:
    if depth > MOST_DEPTH:
        raise TreeError(f"it is nested deeper than {MOST_DEPTH}")
    here = f"{path}/{element.tag}"
    text = " ".join(filter(None, (_flat(part) for part in (element.text, *(e.tail for e in element)))))
    yield Leaf(here, text, _attributes(list(element.items())))
    for inner in element:
        yield from _of_element(inner, here, depth + 1)


def _attributes(given: list[tuple[str, str | None]]) -> str:
    """In alphabetical order, without the values of those that are translated."""
    kept = ((name, "" if name.lower() in TRANSLATED_ATTRIBUTES else value or "") for name, value in given)
    return " ".join(f"{name}={value}" for name, value in sorted(kept))


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


class _Page(HTMLParser):
    """The elements of a page, in the order in which they begin."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str, list[str]]] = [("", "", [])]
        """Path, attributes and texts of each element, first what is outside of all"""
        self.open: list[tuple[str, int]] = []
        """Tags that are open, with their place in `found`"""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self.open and tag in _CLOSED_BY.get(self.open[-1][0], ()):
            self.open.pop()
        if len(self.open) >= MOST_DEPTH:
            raise TreeError(f"it is nested deeper than {MOST_DEPTH}")
        around = self.found[self.open[-1][1]][0] if self.open else ""
        self.found.append((f"{around}/{tag}", _attributes(attrs), []))
        if tag not in VOID_TAGS:
            self.open.append((tag, len(self.found) - 1))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID_TAGS:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1][0] != tag and self.open[-1][0] in _CLOSED_BY:
            self.open.pop()
        if not self.open or self.open[-1][0] != tag:
            raise TreeError(f"</{tag}> closes nothing that is open")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found[self.open[-1][1] if self.open else 0][2].append(_flat(data))

    def finished(self) -> list[tuple[str, str, list[str]]]:
        """All elements, once nothing is open that HTML does not let open."""
        self.close()
        left = next((tag for tag, _ in self.open if tag not in _CLOSED_BY), None)
        if left is not None:
            raise TreeError(f"<{left}> is not closed")
        return self.found


def _html_leaves(text: str) -> list[Leaf]:
    page = _Page()
    page.feed(_checked(_without_comments(re.sub(r"\A\s*<!doctype html>", "", text, flags=re.IGNORECASE))))
    outside, *elements = (Leaf(path, " ".join(texts), attributes) for path, attributes, texts in page.finished())
    return [outside, *elements] if outside.text else elements


def _without_comments(text: str) -> str:
    """Comments taken out; the parser would look for the end of each that has none to the end of the text."""
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            raise TreeError("a comment is not closed")
        kept.append(text[at:start])
        at = end + 3
    kept.append(text[at:])
    return "".join(kept)


def _checked(page: str) -> str:
    """The page, once each of its tags ends before the next begins: the parser takes quadratic time over many that do
    not."""
    if "<!" in page or "<?" in page:
        raise TreeError("it has a declaration or an instruction inside")
    for piece in page.split("<")[1:]:
        if (piece[:1].isalpha() or piece[:1] == "/") and ">" not in piece:
            raise TreeError(f"the tag <{piece[:20].strip()} does not end")
    return page
