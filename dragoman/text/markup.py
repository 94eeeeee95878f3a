"""Tags of XML and HTML as they stand in a text: what they are and whether they nest.

A full parser would repair or refuse what people write (`a < b`, `<br>`); here a tag is `<name ...>`, nothing is
repaired, and a text whose tags do not nest gives None.
"""

from __future__ import annotations

import re

from dragoman.text.tables import listed

_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?)*)\s*(/?)>")
_ATTRIBUTE = re.compile(r"([\w:.-]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_VOID = listed("area base br col embed hr img input link meta source track wbr")
_TRANSLATED = listed("alt title placeholder aria-label summary")
"""Attributes whose text is translated; their values are not compared."""


def well_formed_paths(text: str) -> list[str] | None:
    """Each tag with its attributes and the tags around it, in order; None when the tags do not nest."""
    open_tags: list[tuple[str, str]] = []
    paths = []
    for closing, name, attributes, ended in _TAG.findall(text):
        if closing:
            if not open_tags or open_tags.pop()[0] != name:
                return None
            continue
        label = f"{name}{_canonical(attributes)}"
        paths.append("/".join([*(outer for _, outer in open_tags), label]))
        if not ended and name.lower() not in _VOID:
            open_tags.append((name, label))
    return None if open_tags else paths


def has_tags(text: str) -> bool:
    """Whether anything in the text looks like a tag."""
    return _TAG.search(text) is not None


def _canonical(attributes: str) -> str:
    """Attributes in alphabetical order, without the values of those that are translated."""
    pairs = sorted((name, value.strip("\"'")) for name, value in _ATTRIBUTE.findall(attributes))
    return "".join(f" {name}={'' if name.lower() in _TRANSLATED else value}" for name, value in pairs)
