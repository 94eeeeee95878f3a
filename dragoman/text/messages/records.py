"""What a parsed message consists of, whatever its grammar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

MOST_VARIANTS = 512
Selection = dict[tuple[str, str], str]
"""(variable, kind) of each choice on the way -> the selector taken"""


class MessageError(ValueError):
    """A message that its own grammar cannot read; the text says where."""


@dataclass(frozen=True)
class Argument:
    """A placeholder, in the one form in which it is compared."""

    label: str


@dataclass(frozen=True)
class Choice:
    """A plural or select with its branches."""

    variable: str
    kind: str
    """plural, selectordinal, select or choice"""
    branches: Mapping[str, Message]
    offset: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What the choice depends on."""
        return self.variable, self.kind


Part = Argument | Choice
Message = tuple[Part, ...]


def variants(message: Message) -> list[tuple[Selection, Counter[str]]]:
    """Every way through the choices with the placeholders that it shows; the first `MOST_VARIANTS` of them."""
    return list(islice(_walk(message, {}, Counter()), MOST_VARIANTS))


def _walk(parts: Message, taken: Selection, seen: Counter[str]) -> Iterator[tuple[Selection, Counter[str]]]:
    if not parts:
        yield taken, seen
        return
    part, rest = parts[0], parts[1:]
    if isinstance(part, Argument):
        yield from _walk(rest, taken, seen + Counter([part.label]))
        return
    for selector, branch in part.branches.items():
        if taken.get(part.key, selector) == selector:
            yield from _walk((*branch, *rest), {**taken, part.key: selector}, seen)


def choices(message: Message) -> Iterator[Choice]:
    """Every choice, inner ones included."""
    for part in message:
        if isinstance(part, Choice):
            yield part
            for branch in part.branches.values():
                yield from choices(branch)
