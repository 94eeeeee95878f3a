"""Segments as questions: translated as they are, or under rules (dragoman.data.localisation)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

from dragoman.data.catalogs.items import Item, is_paid
from dragoman.data.catalogs.translating import chrf_reward, direction_gate
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.store import Stored
from dragoman.data.localisation import Instructed, Termbase, instructed, term_questions
from dragoman.data.rows import ParallelPair

Asked = tuple[str, Segment]
"""A question and one of its segments"""
NEAR = 6
"""Segments of which a document may be made"""
TRIES = 10
"""Segments looked at for a question of a suite: not each of them shows rules, or has terms"""


def segment_item(question: str, s: Segment, task: str, prompt: str) -> Item:
    """A question about a segment, rewarded by chrF behind the gate of its direction."""
    columns = {
        "source_language": s.source_language, "target_language": s.target_language, "source": s.source,
        "reference": s.target, **({"domain": s.domain} if s.domain else {}),
    }  # fmt: skip
    rewards = (chrf_reward(s.target), direction_gate(s.direction))
    return Item(task, question, prompt, s.target, rewards, columns, s.provenance, s.licence, "segment")


def termbase(train: Stored, glossary: Iterable[Segment]) -> Termbase:
    """The glossary's terms in both directions, then those of the training text."""
    chosen = Termbase.of((pair_of(s) for given in glossary for s in (given, given.turned())), chosen=True)
    return chosen.with_more(Termbase.of((pair_of(segment) for _, segment in train), chosen=False))


def instructed_suites(found: Stored, base: Termbase, limit: int, random: Random) -> dict[str, list[Item]]:
    """Instructed localisation, and the test of terminology: at most `limit` questions of each direction."""
    suites: dict[str, list[Item]] = {}
    for _, places in sorted(found.by_direction().items()):
        chosen = random.sample(range(len(places)), min(len(places), TRIES * limit))
        asked = list(found.at(places[chosen]))
        items = (instructed_item(asked[n], asked[n:], base, random, english_only=True) for n in range(len(asked)))
        suites.setdefault("mt_instructions", []).extend(islice(filter(None, items), limit))
        tested = filter(None, (_term_items(one, base, random) for one in asked))
        for items_of_one in islice(tested, limit):
            for name, item in items_of_one.items():
                suites.setdefault(f"terms_{name}", []).append(item)
    return suites


def instructed_item(
    one: Asked, near: Sequence[Asked], base: Termbase, random: Random, *, english_only: bool = False
) -> Item | None:
    """A segment, or a document of some near ones, under rules; None where it shows too few, or is not paid."""
    pairs = [pair_of(segment) for _, segment in near[:NEAR]]
    made = instructed(pairs, base, random, english_only=english_only)
    return None if made is None else _paid(_of_instructed(one, made, "mt_instructions"))


def _term_items(one: Asked, base: Termbase, random: Random) -> dict[str, Item] | None:
    made = term_questions(pair_of(one[1]), base, random)
    if made is None:
        return None
    items = {str(name): _paid(_of_instructed(one, question, "terminology")) for name, question in made.items()}
    return {name: item for name, item in items.items() if item} if all(items.values()) else None


def _of_instructed(one: Asked, made: Instructed, task: str) -> Item:
    question, s = one
    item = segment_item(question, replace(s, source=made.task.source, target=made.task.target), task, made.prompt)
    return replace(item, rewards=made.rewards)


def _paid(item: Item) -> Item | None:
    return item if is_paid(item) else None


def pair_of(segment: Segment) -> ParallelPair:
    """The texts of a segment."""
    return ParallelPair(segment.source_language, segment.target_language, segment.source, segment.target)
