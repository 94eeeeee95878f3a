"""Plurals of Android's resources and of iOS' stringsdict, by the standard library's parsers."""

import plistlib
import re
from typing import Any
from xml.etree import ElementTree

from dragoman.text.messages.records import Argument, Choice, Message, MessageError
from dragoman.text.messages.tokens import tokens
from dragoman.text.plurals import CATEGORIES

_HEAD = re.compile(r"\A\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE plist[^>]*>\s*)?")


def is_android(text: str) -> bool:
    """Whether the text has Android's plurals."""
    return re.search(r"<plurals\b|<item\s+quantity=", text) is not None


def is_stringsdict(text: str) -> bool:
    """Whether the text is a property list with plural rules."""
    return "NSStringFormatSpecTypeKey" in text or "NSStringPluralRuleType" in text


def parse_android(text: str) -> Message:
    """Each `<plurals>` as a choice, whatever else with its placeholders; MessageError when it is no XML."""
    root = _xml(text)
    groups = [root] if root.tag == "plurals" else list(root.iter("plurals"))
    loose = root.findall("item") if not groups else []
    found: list[Argument | Choice] = []
    for number, items in enumerate([group.findall("item") for group in groups] or [loose]):
        name = groups[number].get("name", "") if groups else ""
        texts = {str(item.get("quantity")): "".join(item.itertext()) for item in items}
        found.append(_plural(name, texts))
    return tuple(found)


def parse_stringsdict(text: str) -> Message:
    """Each variable as a choice; MessageError when it is no property list."""
    try:
        body = _HEAD.sub("", text)
        found = plistlib.loads((body if "<plist" in body else f"<plist>{body}</plist>").encode("utf-8"))
    except Exception as error:  # plistlib raises what its XML parser, its dates and its numbers do
        raise MessageError(f"it is no property list: {error}") from None
    return tuple(_entries(found))


def _entries(value: Any, name: str = "") -> list[Argument | Choice]:
    if isinstance(value, str):
        return [Argument(token.label) for token in tokens(value)]
    if not isinstance(value, dict):
        return []
    if "NSStringFormatValueTypeKey" in value or "NSStringFormatSpecTypeKey" in value:
        kept = (f"{key}={value.get(key)}" for key in ("NSStringFormatSpecTypeKey", "NSStringFormatValueTypeKey"))
        texts = {key: text for key, text in value.items() if not key.startswith("NS") and isinstance(text, str)}
        return [*map(Argument, kept), _plural(name, texts)]
    return [part for key, inner in value.items() for part in [Argument(f"{key}:"), *_entries(inner, key)]]


def _plural(name: str, texts: dict[str, str]) -> Choice:
    if "other" not in texts:
        raise MessageError(f"the plural of {name!r} has no 'other'")
    wrong = next((category for category in texts if category not in CATEGORIES), None)
    if wrong:
        raise MessageError(f"{wrong!r} is no plural category")
    return Choice(name, "plural", {key: tuple(Argument(t.label) for t in tokens(text)) for key, text in texts.items()})


def _xml(text: str) -> ElementTree.Element:
    body = _HEAD.sub("", text)
    if "<!" in body.replace("<![CDATA[", "").replace("<!--", ""):
        raise MessageError("it declares a document type")
    try:
        return ElementTree.fromstring(f"<all>{body}</all>")
    except ElementTree.ParseError as error:
        raise MessageError(f"it is no XML: {error}") from None
