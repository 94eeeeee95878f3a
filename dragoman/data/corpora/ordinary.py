"""A segment's rows where no task is asked for: its translation, or that under rules, and its draft's post-editing."""

from collections import deque
from collections.abc import Iterable, Iterator
from random import Random

from dragoman.data.catalogs.items import Item
from dragoman.data.catalogs.wordings import translation_prompt
from dragoman.data.corpora.instructed import NEAR, Asked, instructed_item, segment_item
from dragoman.data.localisation import Termbase
from dragoman.text.languages import language_name
from dragoman.text.wordings import Position

POST_EDITING = (
    "Improve this draft of a translation from {source_language} into {target_language}. Answer with the improved "
    "translation only.\n{source}\n\n{draft}"
)


def translation_item(asked: Asked, random: Random, position: Position, *, english_only: bool = False) -> Item:
    """A segment to be translated, under a wording drawn at random."""
    question, s = asked
    prompt = translation_prompt(s.direction, s.source, random, english_only=english_only, position=position)
    return segment_item(question, s, "translation", prompt)


def ordinary_items(
    asked: Iterable[Asked], base: Termbase, share: float, position: Position, random: Random, *,
    post_editing: bool = False,
) -> Iterator[Item]:  # fmt: skip
    """Each segment as a translation or, by a share, as instructed localisation; and the post-editing of its draft."""
    before: dict[tuple[str, str], deque[Asked]] = {}
    for one in asked:
        near = before.setdefault(one[1].direction, deque(maxlen=NEAR))
        yield from ordinary_rows(one, near, base, share, position, random, post_editing=post_editing)
        near.appendleft(one)


def ordinary_rows(
    one: Asked, near: Iterable[Asked], base: Termbase, share: float, position: Position, random: Random, *,
    post_editing: bool,
) -> list[Item]:  # fmt: skip
    """One segment's; `near` are segments of the same direction before it, the last one first."""
    item = instructed_item(one, [one, *near], base, random) if share and random.random() < share else None
    edited = post_editing and one[1].draft and one[1].draft != one[1].target
    return [item or translation_item(one, random, position), *([_post_editing_item(one)] if edited else [])]


def _post_editing_item(one: Asked) -> Item:
    question, s = one
    prompt = POST_EDITING.format(
        source_language=language_name(s.source_language), target_language=language_name(s.target_language),
        source=s.source, draft=s.draft,
    )  # fmt: skip
    return segment_item(question, s, "post_editing", prompt)
