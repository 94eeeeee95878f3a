"""The texts of JSON and ARB catalogs: dotted keys, and where each value stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.data.corpora.segments import InputError
from dragoman.data.readers.texts import FileText, file_text

_TOKEN = re.compile(r'[\s:]*("(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],":]+)')


@dataclass(frozen=True)
class Value:
    """A text of the catalog."""

    key: str
    """`menu.open`, `steps[0]`"""
    text: str
    start: int
    end: int
    """Of its quotation marks"""
    described: bool
    """Below a key that begins with @: what ARB says of a message"""


def read_values(path: Path) -> tuple[FileText, list[Value]]:
    """A file's text and its texts in order; InputError when it is no JSON."""
    file = file_text(path)
    try:
        json.loads(file.text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error}); export it again") from None
    return file, list(_values(file.text))


def _values(text: str) -> Iterator[Value]:
    """The texts of well-formed JSON with their keys and places."""
    stack: list[str | int] = []
    place, key_comes = 0, False
    while match := _TOKEN.match(text, place):
        token, place = match[1], match.end()
        if token[0] == '"':
            content = json.loads(token)
            if key_comes:
                stack[-1], key_comes = content, False
            else:
                described = any(isinstance(name, str) and name.startswith("@") for name in stack)
                yield Value(_dotted(stack), content, match.start(1), place, described)
        elif token in "{[":
            stack.append("" if token == "{" else 0)
            key_comes = token == "{"
        elif token in "}]":
            stack.pop()
            key_comes = False
        elif token == ",":
            key_comes = isinstance(stack[-1], str)
            if isinstance(last := stack[-1], int):
                stack[-1] = last + 1


def _dotted(stack: Sequence[str | int]) -> str:
    parts = (f"[{name}]" if isinstance(name, int) else f".{name}" for name in stack)
    return "".join(parts).removeprefix(".")
