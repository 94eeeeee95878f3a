"""A segment's rows where no task is asked for: its translation, or that under rules, and its draft's post-editing."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from dragoman.data.catalogs.items import Item
from dragoman.data.catalogs.wordings import translation_prompt
from dragoman.data.corpora.instructed import NEAR, Asked, instructed_item, segment_item
from dragoman.data.corpora.workers import worked
from dragoman.data.localisation import Termbase
from dragoman.text.languages import language_name
from dragoman.text.wordings import Position

POST_EDITING = (
    "Improve this draft of a translation from {source_language} into {target_language}. Answer with the improved "
    "translation only.\n{source}\n\n{draft}"
)
Numbered = tuple[str, Asked, Sequence[Asked]]
"""The seed of a segment's draws, the segment, and segments of its direction before it, the last one first"""


@dataclass(frozen=True)
class Ordinary:
    """What is made of a segment: a translation or, by a share, instructed localisation; and its draft's post-editing.

    Each draws from a generator of its own, so the rows are the same whatever the number of processes.
    """

    base: Termbase
    share: float
    """That is asked for under rules"""
    position: Position
    post_editing: bool = False

    def items(self, asked: Iterable[Asked], seed: str, processes: int = 1) -> Iterator[Item]:
        """Those of each segment, in their order, made by so many processes where there are many segments."""
        numbered = _with_near(asked, seed)
        for rows in worked(numbered, self, processes if self.share else 1, lambda one: one[1][1].place):
            yield from rows

    def __call__(self, numbered: Numbered) -> list[Item]:
        """One segment's."""
        seed, one, near = numbered
        return self.rows(one, near, Random(seed))

    def rows(self, one: Asked, near: Iterable[Asked], random: Random) -> list[Item]:
        """One segment's; `near` are segments of the same direction before it, the last one first."""
        asked = self.share and random.random() < self.share
        item = instructed_item(one, [one, *near], self.base, random) if asked else None
        edited = self.post_editing and one[1].draft and one[1].draft != one[1].target
        return [item or translation_item(one, random, self.position), *([_post_editing_item(one)] if edited else [])]


def translation_item(asked: Asked, random: Random, position: Position, *, english_only: bool = False) -> Item:
    """A segment to be translated, under a wording drawn at random."""
    question, s = asked
    prompt = translation_prompt(s.direction, s.source, random, english_only=english_only, position=position)
    return segment_item(question, s, "translation", prompt)


def _with_near(asked: Iterable[Asked], seed: str) -> Iterator[Numbered]:
    before: dict[tuple[str, str], deque[Asked]] = {}
    for number, one in enumerate(asked):
        near = before.setdefault(one[1].direction, deque(maxlen=NEAR))
        yield f"{seed}|{number}", one, tuple(near)
        near.appendleft(one)


def _post_editing_item(one: Asked) -> Item:
    question, s = one
    prompt = POST_EDITING.format(
        source_language=language_name(s.source_language), target_language=language_name(s.target_language),
        source=s.source, draft=s.draft,
    )  # fmt: skip
    return segment_item(question, s, "post_editing", prompt)
