"""The suites: eval/*.jsonl, which figures are reported on, and development/*.jsonl, which settings are chosen by."""

from collections.abc import Sequence
from itertools import islice
from random import Random
from typing import Any

from dragoman.data.catalogs.drawing import Pool, draw_task
from dragoman.data.catalogs.identity import Split
from dragoman.data.catalogs.items import Item, is_paid, suite_row
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.settings import Direction, directions
from dragoman.data.catalogs.translating import translation_item
from dragoman.data.sources import SourceError

Rows = list[dict[str, Any]]
GENERAL = ("mt_instructions", "math", "constraints", "code", "preference_label")


def suite_files(pool: Pool) -> dict[str, Rows]:
    """Rows of every suite of both splits, by file name."""
    sizes = pool.sizes
    return {
        **_files(pool, "eval", sizes.eval_per_direction, sizes.eval_general),
        **_files(pool, "development", sizes.development_per_direction, sizes.development_general),
    }


def held_out_translations(
    pool: Pool, pairs: Sequence[Direction], count: int, suite: str, *, verses: bool = False
) -> Rows:
    """At most `count` rows of each direction from the split that figures are reported on."""
    items = [item for pair in pairs for item in _translations(pool, "eval", pair, count, verses=verses)]
    return _rows(suite, "eval", items)


def held_out_documents(pool: Pool, pairs: Sequence[Direction], count: int, suite: str) -> Rows:
    """The same of documents."""
    items = [item for pair in pairs for item in _documents(pool, "eval", pair, count)]
    return _rows(suite, "eval", items)


def _files(pool: Pool, split: Split, per_direction: int, general: int) -> dict[str, Rows]:
    sizes = pool.sizes
    files: dict[str, Rows] = {}
    suites = {
        "supervised": sizes.supervised,
        "parallel_only": directions(sizes.read),
        "zero_shot": directions(sizes.zero_shot),
    }
    for name, pairs in suites.items():
        items = [item for pair in pairs for item in _translations(pool, split, pair, per_direction)]
        files[f"translation_{name}"] = _rows(f"translation_{name}", split, items)
    if sizes.bible:
        items = [
            i
            for pair in sizes.supervised
            for i in _translations(pool, split, pair, per_direction, verses=True, least=0)
        ]
        files["translation_bible"] = _rows("translation_bible", split, items)
    if sizes.manuals:
        items = [i for pair in sizes.supervised for i in _documents(pool, split, pair, per_direction)]
        files["translation_documents"] = _rows("translation_documents", split, items)
    for task in (*GENERAL, *(("reasoning",) if sizes.sampled_shares.reasoning else ())):
        files[task] = _rows(task, split, draw_task(pool, task, split, general, split))
    return {f"{split}/{name}": rows for name, rows in files.items() if rows}


def _translations(
    pool: Pool, split: Split, direction: Direction, count: int, *, verses: bool = False, least: int = 1
) -> list[Item]:
    """Held-out translations in one direction, at most `count`; SourceError where there are fewer than `least`."""
    random = pool.random(f"{split}|{verses}|{'-'.join(direction)}")
    items = _drawn(pool, [m for m in pool.of(split) if m.is_verse == verses], direction, count, random)
    if count and len(items) < least:
        raise SourceError(
            f"the catalogs have no held-out text in {'-'.join(direction)}: leave that direction or language out"
        )
    return items


def _documents(pool: Pool, split: Split, direction: Direction, count: int) -> list[Item]:
    """Held-out documents in one direction, at most `count`; none where the manual is not in the language."""
    random = pool.random(f"{split}|documents|{'-'.join(direction)}")
    return _drawn(pool, pool.documents(split), direction, count, random)


def _drawn(pool: Pool, meanings: Sequence[Meaning], direction: Direction, count: int, random: Random) -> list[Item]:
    fitting = [m for m in meanings if m.has(*direction)]
    shuffled, position = random.sample(fitting, len(fitting)), pool.sizes.instruction
    drawn = (translation_item(m, direction, random, position, english_only=True) for m in shuffled)
    return list(islice(filter(is_paid, drawn), count))


def _rows(suite: str, split: str, items: Sequence[Item]) -> Rows:
    return [suite_row(f"{split}-{suite}-{number:06}", item, suite) for number, item in enumerate(items)]
