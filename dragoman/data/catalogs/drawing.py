"""Items of a whole file: every task in its share, from one split, each with a right answer that is paid, shuffled.

Each file and task has a random source of its own, named after its purpose, so that another size of one file leaves the
others as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from random import Random

from dragoman.data.catalogs import general
from dragoman.data.catalogs.identity import Split, split_of
from dragoman.data.catalogs.items import Item, is_paid
from dragoman.data.catalogs.judging import label_item, language_item
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.reasoning import reasoning_items
from dragoman.data.catalogs.settings import CatalogSizes, Direction, Shares
from dragoman.data.catalogs.translating import instructed_item, translation_item
from dragoman.data.mixtures import counts_by_share
from dragoman.data.sources import SourceError

REFUSAL = "I am sorry, I cannot help with that."
SPARE = 10
"""So many list questions more than twice those wanted are drawn, because a refusal or the prompt itself keeps some"""


@dataclass(frozen=True)
class Pool:
    """What everything is drawn from."""

    meanings: tuple[Meaning, ...]
    sizes: CatalogSizes
    seed: int
    functions: tuple[Item, ...] = ()
    """Real functions of all splits"""
    manuals: tuple[Meaning, ...] = ()
    """Documents of all splits"""

    def random(self, purpose: str) -> Random:
        """A random source that depends on the seed and the purpose only."""
        return Random(f"{self.seed}|catalogs|{purpose}")

    def of(self, split: Split) -> list[Meaning]:
        """Meanings of a split, in the order of the catalogs."""
        return [meaning for meaning in self.meanings if meaning.split == split]

    def documents(self, split: Split) -> list[Meaning]:
        """Documents of a split, in the order of their pages."""
        return [meaning for meaning in self.manuals if meaning.split == split]


def draw_mixture(pool: Pool, split: Split, shares: Shares, total: int, purpose: str) -> list[Item]:
    """`total` items of a split by shares; SourceError when the split holds too few of a task."""
    counts = counts_by_share(shares.as_mapping(), total)
    items = list(chain.from_iterable(draw_task(pool, task, split, n, purpose) for task, n in counts.items() if n))
    pool.random(f"{purpose}|order").shuffle(items)
    return items


def draw_task(pool: Pool, task: str, split: Split, count: int, purpose: str) -> list[Item]:
    """`count` items of a task with different prompts, each of whose right answers is paid in full."""
    random = pool.random(f"{purpose}|{task}")
    if task == "code":
        return _programs(pool, split, count, purpose, random)
    if task == "constraints":
        return _constraints(pool, split, count, purpose, random)
    streams = {
        "translation": lambda: _texts_and_documents(pool, split, count, random),
        "mt_instructions": lambda: _instructed(pool.of(split), pool.sizes.supervised, random),
        "math": lambda: general.sums(split, pool.sizes.languages, pool.seed, random),
        "reasoning": lambda: reasoning_items(split, pool.sizes.reasoning_tasks, pool.seed, random),
        "preference_label": lambda: _labels(pool.of(split), pool.sizes.supervised, random),
        "language": lambda: (language_item(meaning, random) for meaning in _shuffled(pool.of(split), random)),
    }
    return take(streams[task](), count, f"{purpose}: {task}")


def _programs(pool: Pool, split: Split, count: int, purpose: str, random: Random) -> list[Item]:
    """Real functions as far as there are, but at most every second; generated programs besides."""
    own = [item for item in pool.functions if split_of(item.cluster, pool.seed) == split]
    real = random.sample(own, min(len(own), count // 2))
    return real + _of_quickstart(pool, split, count - len(real), purpose, "code")


def _constraints(pool: Pool, split: Split, count: int, purpose: str, random: Random) -> list[Item]:
    """Half list questions and half texts under another form; none whose constraints a refusal or the prompt keeps."""
    half = count // 2
    drawn = _of_quickstart(pool, split, 2 * half + SPARE, purpose, "constraints")
    earned = (item for item in drawn if not any(is_paid(replace(item, answer=a)) for a in (REFUSAL, item.prompt)))
    listed = take(earned, half, f"{purpose}: constraints")
    return listed + take(general.rewritten(pool.of(split), random), count - half, f"{purpose}: constraints")


def take(items: Iterable[Item | None], count: int, what: str) -> list[Item]:
    """The first `count` items with different prompts that are paid; SourceError names `what` there is too little of."""
    found: dict[str, Item] = {}
    for item in items:
        if len(found) >= count:
            break
        if item is not None and item.prompt not in found and is_paid(item):
            found[item.prompt] = item
    if len(found) < count:
        raise SourceError(
            f"data.sizes asks for {count} rows of {what}, and the catalogs have {len(found)}: lower that size"
        )
    return list(found.values())


def pairs_of(
    meanings: Sequence[Meaning], directions: Sequence[Direction], random: Random
) -> Iterator[tuple[Meaning, Direction]]:
    """Every meaning in every direction it has: each meaning once before any comes again, the directions in turn."""
    shuffled = _shuffled(meanings, random)
    for shift in range(len(directions)):
        for place, meaning in enumerate(shuffled):
            direction = directions[(place + shift) % len(directions)]
            if meaning.has(*direction):
                yield meaning, direction


def translations(
    meanings: Sequence[Meaning], sizes: CatalogSizes, random: Random, *, english_only: bool = False
) -> Iterator[Item]:
    """Plain translations in the directions that training sees."""
    for meaning, direction in pairs_of(meanings, sizes.supervised, random):
        yield translation_item(meaning, direction, random, sizes.instruction, english_only=english_only)


def _texts_and_documents(pool: Pool, split: Split, count: int, random: Random) -> Iterator[Item]:
    """Translations of documents, at most their share of `count`, and then of single texts."""
    documents = translations(pool.documents(split), pool.sizes, random)
    yield from islice(documents, int(pool.sizes.manual_share * count))
    yield from translations(pool.of(split), pool.sizes, random)


def _instructed(meanings: Sequence[Meaning], directions: Sequence[Direction], random: Random) -> Iterator[Item | None]:
    for meaning, direction in pairs_of(meanings, directions, random):
        yield instructed_item(meaning, direction, random)


def _labels(meanings: Sequence[Meaning], directions: Sequence[Direction], random: Random) -> Iterator[Item | None]:
    for meaning, direction in pairs_of(meanings, directions, random):
        yield label_item(meaning, direction, random, meanings)


def _shuffled(meanings: Sequence[Meaning], random: Random) -> list[Meaning]:
    return random.sample(meanings, len(meanings))


def _of_quickstart(pool: Pool, split: Split, count: int, purpose: str, task: general.Task) -> list[Item]:
    try:
        return general.quickstart_items(task, split, count, f"catalogs|{purpose}", pool.seed)
    except ValueError as error:
        raise SourceError(f"data.sizes, {purpose}: {error}") from None
