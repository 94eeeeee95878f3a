"""Tags of XML and HTML as they stand in a text: what they are and whether they nest.

A full parser would repair or refuse what people write (`a < b`, `<br>`); here a tag is `<name ...>`, also a numbered
one (`<0>`), JSX's fragment `<>` and i18next's `__name__`, nothing is repaired, and a text whose tags do not nest
gives None.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dragoman.text.places import Placed
from dragoman.text.tables import listed

_NAME = r"[\w:.@#*()\[\]-]+"
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\}|[^\s\"'<>{}]+)"
_TAG = re.compile(
    rf"<(/?)([A-Za-z\d][\w:.-]*|(?=>)|(?=/>))((?:\s+{_NAME}(?:\s*=\s*{_VALUE})?)*)\s*(/?)>"
    r"|(?<!\w)(__[A-Za-z]\w*?__)(?!\w)"
)
_QUOTED_CODE = re.compile(r"<!--.*?-->|<!\[CDATA\[|\]\]>", re.DOTALL)
"""Comments, and the marks of CDATA, whose inside is text"""
_ATTRIBUTE = re.compile(rf"({_NAME})(?:\s*=\s*({_VALUE}))?")
VOID_TAGS = listed("area base br col embed hr img input link meta source track wbr")
TRANSLATED_ATTRIBUTES = listed("alt title placeholder aria-label summary")
"""Attributes whose text is translated; their values are not compared."""


@dataclass(frozen=True)
class Tag:
    """A tag of a text and where it stands."""

    label: str
    """With its attributes, and a slash before it if it closes"""
    path: str | None
    """The tags around it and itself; None for one that closes"""
    start: int
    end: int


def well_formed_paths(text: str) -> list[str] | None:
    """Each tag with its attributes and the tags around it, in order; None when the tags do not nest."""
    found, broken = _read(text)
    return None if broken else [tag.path for tag in found if tag.path is not None]


def tags_of(text: str) -> list[str]:
    """Each opening and closing tag with its attributes, in order, whether they nest or not."""
    return [tag.label for tag in _read(text)[0]]


def unmatched_tags(source: str, response: str) -> tuple[list[Tag], list[Tag]]:
    """The source's tags that the response lacks, and the response's that are too many, do not nest, or stand inside of
    others than the source's; each in order.
    """
    (wanted, _), (given, broken) = _read(source), _read(response)
    lost, added = _surplus(wanted, given, _label), _surplus(given, wanted, _label)
    if not lost and not added:
        added = [broken] if broken else _surplus(given, wanted, _path)
    return lost, added


def _read(text: str) -> tuple[list[Tag], Tag | None]:
    """The tags in order, and the first at which they do not nest."""
    plain = Placed.of(text).sub(_QUOTED_CODE)
    open_tags: list[tuple[str, Tag]] = []
    found: list[Tag] = []
    broken: Tag | None = None
    for match in _TAG.finditer(plain.text):
        closing, name, attributes, ended, marked = match.groups(default="")
        label, path = marked or f"{closing}{name}{_canonical(attributes)}", None
        if not closing:
            path = "/".join([*(outer.label for _, outer in open_tags), label])
        tag = Tag(label, path, *plain.span(*match.span()))
        found.append(tag)
        if closing and (not open_tags or open_tags.pop()[0] != name):
            broken = broken or tag
        elif not (closing or ended or marked or name.lower() in VOID_TAGS):
            open_tags.append((name, tag))
    return found, broken or (open_tags[-1][1] if open_tags else None)


def _surplus(tags: Sequence[Tag], others: Sequence[Tag], key: Callable[[Tag], str | None]) -> list[Tag]:
    """Those that the others do not have, or not so often: the last ones."""
    left = Counter(map(key, tags)) - Counter(map(key, others))
    surplus = []
    for tag in reversed(tags):
        if left[key(tag)]:
            left[key(tag)] -= 1
            surplus.append(tag)
    return surplus[::-1]


def _label(tag: Tag) -> str:
    return tag.label


def _path(tag: Tag) -> str | None:
    return tag.path


def has_tags(text: str) -> bool:
    """Whether anything in the text looks like a tag."""
    return any(not marked for *_, marked in _TAG.findall(text))


def _canonical(attributes: str) -> str:
    """Attributes in alphabetical order, without the values of those that are translated."""
    pairs = sorted((name, value.strip("\"'")) for name, value in _ATTRIBUTE.findall(attributes))
    return "".join(f" {name}={'' if name.lower() in TRANSLATED_ATTRIBUTES else value}" for name, value in pairs)
