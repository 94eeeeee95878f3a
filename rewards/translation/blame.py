"""Where a fault of a translation stands: spans for what verifiers find.

- What the source does not have (a number, a placeholder, a tag, an address, a forbidden term) is its own span.
- What is missing has no place. As much as was added instead stands for it; the rest is blamed on the sentence of the
  same number as the source's, where both texts have as many sentences, and else on the whole answer.

Each is a major fault (`rewards.spans.SEVERITY`) unless its check says otherwise. Dealt over the tokens of a sentence, a
missing item takes little from each. A check that holds marks nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dragoman.text.segmentation import sentence_places
from rewards.records import Span
from rewards.spans import SEVERITY


class Item(NamedTuple):
    """Something that one of two texts has and the other has not."""

    start: int
    end: int
    name: str


def blame(source: str, response: str, lost: Sequence[Item], added: Sequence[Item], what: str) -> tuple[Span, ...]:
    """Spans for what the response lacks and what it has too much; `what` they are, for people."""
    here = [Span(item.start, item.end, SEVERITY["major"], f"{what} not in the source: {item.name}") for item in added]
    missing = [
        Span(*whereabouts(source, response, item.start), SEVERITY["major"], f"{what} lost: {item.name}")
        for item in lost[len(added) :]
    ]
    return (*here, *missing) if response else ()


def whole(response: str, label: str, severity: str = "major") -> tuple[Span, ...]:
    """A fault without a place of its own."""
    return (Span(0, len(response), SEVERITY[severity], label),) if response else ()


def whereabouts(source: str, response: str, place: int) -> tuple[int, int]:
    """Where in the response something would have to stand that stands at a place of the source."""
    theirs, ours = sentence_places(source), sentence_places(response)
    number = sum(end <= place for _, end in theirs)
    return ours[number] if len(theirs) == len(ours) and number < len(ours) else (0, len(response))
