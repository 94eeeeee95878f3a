"""Fluent, by fluent.syntax: whole entries (`key = …`) or the pattern of one."""

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from dragoman.text.messages.records import Argument, Choice, Message, MessageError
from dragoman.text.plurals import CATEGORIES

_MARKS = re.compile(r"\{\s*(?:\$[A-Za-z]|-[a-z]|[A-Z][A-Z_]+\()")
_ENTRY = re.compile(r"\A\s*-?[A-Za-z][\w-]*\s*=")


def is_fluent(text: str) -> bool:
    """Whether the text refers to a variable, a term or a function as Fluent does."""
    return _MARKS.search(text) is not None


def parse_fluent(text: str) -> Message:
    """The message; MessageError when Fluent could not read it."""
    from fluent.syntax import ast, parse

    body = text.strip("\r\n")
    if not _ENTRY.match(body):
        first, *rest = body.splitlines() or [""]
        body = "message =\n" + textwrap.indent("\n".join([first.strip(), *rest]), "    ")
    found: list[Argument | Choice] = []
    for entry in parse(body + "\n").body:
        if isinstance(entry, ast.Junk):
            raise MessageError(entry.annotations[0].message if entry.annotations else "it is no Fluent")
        if isinstance(entry, (ast.Message, ast.Term)):
            found += [Argument(f"{entry.id.name}=")] if _ENTRY.match(text) else []
            found += _pattern(entry.value)
            for attribute in entry.attributes:
                found += [Argument(f".{attribute.id.name}="), *_pattern(attribute.value)]
    return tuple(found)


def _pattern(pattern: Any) -> Iterator[Argument | Choice]:
    from fluent.syntax import ast

    for element in pattern.elements if pattern else ():
        if isinstance(element, ast.Placeable):
            yield from _expression(element.expression)


def _expression(expression: Any) -> Iterator[Argument | Choice]:
    from fluent.syntax import ast

    if isinstance(expression, ast.Placeable):
        yield from _expression(expression.expression)
    elif isinstance(expression, ast.SelectExpression):
        yield _choice(expression)
    elif not isinstance(expression, (ast.StringLiteral, ast.NumberLiteral)):
        yield Argument("{" + _label(expression) + "}")


def _choice(expression: Any) -> Choice:
    branches = {_selector(v.key): tuple(_pattern(v.value)) for v in expression.variants}
    default = next(_selector(v.key) for v in expression.variants if v.default)
    plural = any(s in CATEGORIES or s.startswith("=") for s in branches) and default in CATEGORIES
    if plural:
        branches.setdefault("other", branches[default])
    kind = "selectordinal" if "ordinal" in str(getattr(expression.selector, "arguments", "")) else "plural"
    return Choice(_label(expression.selector), kind if plural else "select", branches)


def _selector(key: Any) -> str:
    return str(getattr(key, "name", None) or f"={key.value}")


def _label(expression: Any) -> str:
    """A reference or call as Fluent writes it, options by name only."""
    from fluent.syntax.serializer import serialize_expression

    return re.sub(r"\s+", "", str(serialize_expression(expression)))
