"""ICU's and Java's MessageFormat, by pyicumessageformat; Java's `choice` and Angular's `{{ }}` are read before it."""

import re
from typing import Any

from dragoman.text.messages.records import Argument, Choice, Message, MessageError
from dragoman.text.messages.tokens import tokens
from dragoman.text.plurals import CATEGORIES

_TYPED = re.compile(
    r"\{\s*[\w.-]+\s*,\s*(?:plural|select|selectordinal|number|date|time|choice|spellout|ordinal|duration|list)\s*[,}]"
)
_OLD_CHOICE = re.compile(r"\{\s*(\w+)\s*,\s*choice\s*,")
_MUSTACHE = re.compile(r"\{\{[^{}]*\}\}")
_PLURALS = ("plural", "selectordinal")
_FIRST = 0xE000
"""Private characters stand for what was read before"""


def is_icu(text: str) -> bool:
    """Whether the text has an argument with a type."""
    return _TYPED.search(text) is not None


def parse_icu(text: str) -> Message:
    """The message; MessageError when ICU could not read it."""
    held: list[tuple[Argument | Choice, ...]] = []
    body = _without_old_choices(text, held)
    try:
        return _parsed(body, held)
    except MessageError:
        if not _MUSTACHE.search(body):
            raise
    return _parsed(_MUSTACHE.sub(lambda match: _hold((Argument("".join(match[0].split())),), held), body), held)


def _parsed(text: str, held: list[Message]) -> Message:
    from pyicumessageformat import Parser

    try:
        found = Parser({"require_other": True}).parse(text)
    except SyntaxError as error:
        raise MessageError(str(error)) from None
    return _message(found, held)


def _message(nodes: list[Any], held: list[Message]) -> Message:
    found: list[Argument | Choice] = []
    for node in nodes:
        if isinstance(node, str):
            found += _of_text(node, held)
        elif "options" in node:
            branches = {name: _message(branch, held) for name, branch in node["options"].items()}
            _check_selectors(node["name"], node["type"], branches)
            found.append(Choice(node["name"], node["type"], branches, node.get("offset", 0)))
        else:
            kind = "" if node.get("hash") else node.get("type", "")
            found.append(Argument("{" + node["name"] + (f",{kind}" if kind else "") + "}"))
    return tuple(found)


def _of_text(text: str, held: list[Message]) -> Message:
    found: list[Argument | Choice] = [Argument(token.label) for token in tokens(text)]
    for character in text:
        if _FIRST <= ord(character) < _FIRST + len(held):
            found += held[ord(character) - _FIRST]
    return tuple(found)


def _check_selectors(name: str, kind: str, branches: dict[str, Message]) -> None:
    wrong = [s for s in branches if kind in _PLURALS and s not in CATEGORIES and not re.fullmatch(r"=\d+", s)]
    if wrong:
        raise MessageError(f"{wrong[0]!r} is no plural category in the {kind} of {name!r}")


def _hold(message: Message, held: list[Message]) -> str:
    held.append(message)
    return chr(_FIRST + len(held) - 1)


def _without_old_choices(text: str, held: list[Message]) -> str:
    """Java's `{0,choice,0#none|1#one|1<{0} files}` taken out, its limits as selectors."""
    while match := _OLD_CHOICE.search(text):
        end = _closing_brace(text, match.start())
        branches = {}
        for part in _split(text[match.end() : end - 1]):
            limit = re.match(r"\s*(-?[\d.∞]+)\s*([#<≤])", part)
            if limit is None:
                raise MessageError(f"{part!r} in a choice has no limit such as 0#")
            branches[f"{limit[1]}{limit[2]}"] = parse_icu(part[limit.end() :])
        choice = Choice(match[1], "choice", branches)
        text = text[: match.start()] + _hold((choice,), held) + text[end:]
    return text


def _split(text: str) -> list[str]:
    """The parts between bars outside of braces."""
    parts, depth = [""], 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _closing_brace(text: str, start: int) -> int:
    """Where the text goes on after the brace that is opened at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    raise MessageError("a brace is not closed")
