"""Tags of XML and HTML as they stand in a text: what they are and whether they nest.

A full parser would repair or refuse what people write (`a < b`, `<br>`); here a tag is `<name ...>`, also a numbered
one (`<0>`), JSX's fragment `<>` and i18next's `__name__`, nothing is repaired, and a text whose tags do not nest
gives None.
"""

import re

from dragoman.text.tables import listed

_NAME = r"[\w:.@#*()\[\]-]+"
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\}|[^\s\"'<>{}]+)"
_TAG = re.compile(
    rf"<(/?)([A-Za-z\d][\w:.-]*|(?=>)|(?=/>))((?:\s+{_NAME}(?:\s*=\s*{_VALUE})?)*)\s*(/?)>"
    r"|(?<!\w)(__[A-Za-z]\w*?__)(?!\w)"
)
_ATTRIBUTE = re.compile(rf"({_NAME})(?:\s*=\s*({_VALUE}))?")
_VOID = listed("area base br col embed hr img input link meta source track wbr")
_TRANSLATED = listed("alt title placeholder aria-label summary")
"""Attributes whose text is translated; their values are not compared."""


def well_formed_paths(text: str) -> list[str] | None:
    """Each tag with its attributes and the tags around it, in order; None when the tags do not nest."""
    open_tags: list[tuple[str, str]] = []
    paths = []
    for closing, name, attributes, ended, marked in _TAG.findall(_without_quoted_code(text)):
        if closing:
            if not open_tags or open_tags.pop()[0] != name:
                return None
            continue
        label = marked or f"{name}{_canonical(attributes)}"
        paths.append("/".join([*(outer for _, outer in open_tags), label]))
        if not (ended or marked or name.lower() in _VOID):
            open_tags.append((name, label))
    return None if open_tags else paths


def tags_of(text: str) -> list[str]:
    """Each opening and closing tag with its attributes, in order, whether they nest or not."""
    found = _TAG.findall(_without_quoted_code(text))
    return [marked or f"{closing}{name}{_canonical(attributes)}" for closing, name, attributes, _, marked in found]


def has_tags(text: str) -> bool:
    """Whether anything in the text looks like a tag."""
    return any(not marked for *_, marked in _TAG.findall(text))


def _without_quoted_code(text: str) -> str:
    """Without comments and the marks of CDATA, whose inside is text."""
    return re.sub(r"<!--.*?-->|<!\[CDATA\[|\]\]>", "", text, flags=re.DOTALL)


def _canonical(attributes: str) -> str:
    """Attributes in alphabetical order, without the values of those that are translated."""
    pairs = sorted((name, value.strip("\"'")) for name, value in _ATTRIBUTE.findall(attributes))
    return "".join(f" {name}={'' if name.lower() in _TRANSLATED else value}" for name, value in pairs)
