"""A text that was made from another one, with the place in that of each of its characters.

Checks look at a plainer form of an answer (other widths folded, tags cut out, small letters); what they find has to be
shown in the answer itself.

    Placed.of(answer) -> sub, cut, each -> look at .text -> .span(start, end) in the answer
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True)
class Placed:
    """A text and, for each of its characters, the piece [starts, ends) of the original that it was made from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @staticmethod
    def of(text: str) -> Placed:
        """The original itself."""
        return Placed(text, range(len(text)), range(1, len(text) + 1))

    @staticmethod
    def joined(pieces: Iterable[tuple[str, int, int]]) -> Placed:
        """From (text, start, end) one after another: every character of a piece is made from all of its original."""
        kept = [piece for piece in pieces if piece[0]]
        starts = chain.from_iterable([start] * len(text) for text, start, _ in kept)
        ends = chain.from_iterable([end] * len(text) for text, _, end in kept)
        return Placed("".join(text for text, *_ in kept), list(starts), list(ends))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters start to end - 1, one at least, stand in the original."""
        return self.starts[start], self.ends[end - 1]

    def cut(self, places: Iterable[tuple[int, int]], replacement: str = "") -> Placed:
        """With the replacement in the place of each piece [start, end); these in order, none empty."""
        text, starts, ends, done = "", list[int](), list[int](), 0
        for start, end in places:
            first, last = self.span(start, end)
            text += self.text[done:start] + replacement
            starts += [*self.starts[done:start], *[first] * len(replacement)]
            ends += [*self.ends[done:start], *[last] * len(replacement)]
            done = end
        if not done:
            return self
        return Placed(text + self.text[done:], [*starts, *self.starts[done:]], [*ends, *self.ends[done:]])

    def sub(self, pattern: str | re.Pattern[str], replacement: str = "") -> Placed:
        """As `re.sub` with a replacement that names no groups, for a pattern that matches no empty text."""
        return self.cut((match.span() for match in re.finditer(pattern, self.text)), replacement)

    def each(self, change: Callable[[str], str]) -> Placed:
        """With every character changed by itself."""
        return Placed.joined(
            (change(character), start, end)
            for character, start, end in zip(self.text, self.starts, self.ends, strict=True)
        )
