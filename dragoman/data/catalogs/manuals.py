"""GNOME's manuals as documents: whole pages, or consecutive paragraphs of one, in many languages.

Flow: a package of Debian -> pages, paragraph by paragraph beside the English ones -> documents of about so many words,
as `Meaning`s -> a split by page. A document has a language only where each of its paragraphs is translated, so nothing
is missing in between.

The page is the unit of the splits. Pages share paragraphs ("Open the Activities overview and start typing Settings."),
so a held-out document half of which, by words, also stands in a trained page says `near` in `heldout`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.data.catalogs.catalog_files import nearest_code
from dragoman.data.catalogs.filters import FEWEST_WORDS, is_translation
from dragoman.data.catalogs.identity import Split, cluster_of, split_of, words_of
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.nearness import NEAR
from dragoman.data.catalogs.settings import PIVOT
from dragoman.data.readers.mallard import Block, read_blocks, titles_of
from dragoman.data.sources import SourceError
from dragoman.packages.archives import matching_files
from dragoman.packages.records import Package

ENGLISH = "C"
"""What the package calls the language that the others translate"""
SHARES: Mapping[Split, float] = {"train": 0.62, "preference": 0.05, "rl": 0.08, "development": 0.08, "eval": 0.17}
"""Of pages; there are few, so more of them are held out than of the catalogs' texts"""
SHORTEST = 15
"""English words; a page that only lists others is no document"""
_PAGE = r"usr/share/help/([^/]+)/([^/]+)/([^/]+)\.page"
Name = tuple[str, str]
"""Manual, page"""


@dataclass(frozen=True)
class Page:
    """A page of a manual."""

    name: str
    """`manual/page`"""
    paragraphs: Mapping[str, tuple[str, ...]]
    """By language, one for each English paragraph; empty where it is not translated"""


def read_pages(package: Package, deb: Path, languages: Sequence[str]) -> list[Page]:
    """Every page, in English and in those of the languages that have it paragraph by paragraph.

    Raises SourceError for a language that no page is in, PackageError for what is no package of Debian.
    """
    files: dict[str, dict[Name, bytes]] = {}
    for match, content in matching_files(deb, _PAGE):
        files.setdefault(match[1], {})[match[2], match[3]] = content
    codes = frozenset(files) - {ENGLISH}
    chosen = {code: found for code in languages if (found := nearest_code(code, codes)) is not None}
    if missing := [code for code in languages if code not in chosen]:
        raise SourceError(f"{package.title} is not in {missing[0]!r}; known languages are {', '.join(sorted(codes))}")
    blocks = {code: _blocks_of(found, files[found]) for code, found in {PIVOT: ENGLISH, **chosen}.items()}
    return [_page(name, {code: pages[name] for code, pages in blocks.items() if name in pages})
            for name in sorted(blocks[PIVOT])]  # fmt: skip


def manual_documents(package: Package, pages: Iterable[Page], words: int, seed: int) -> list[Meaning]:
    """Documents of about so many English words, each with the languages that have all of it."""
    found = []
    for page in pages:
        split = split_of(f"manual|{page.name}", seed, SHARES)
        for part in cut([len(words_of(text)) for text in page.paragraphs[PIVOT]], words):
            texts = {code: paragraphs[part] for code, paragraphs in page.paragraphs.items() if all(paragraphs[part])}
            joined = {code: "\n".join(paragraphs) for code, paragraphs in texts.items()}
            place, key = f"{package.title}, {page.name}", cluster_of(f"manual|{page.name}")
            if len(words_of(joined[PIVOT])) >= SHORTEST:
                found.append(Meaning(joined, key, split, place, package.licence, heldout="page"))
    return list(_marked_near(found))


def cut(lengths: Sequence[int], most: int) -> list[slice]:
    """Consecutive parts of about equal length, as few as there must be for about `most` each; none is empty.

    A paragraph falls into the part in which its middle lies.
    """
    total = sum(lengths)
    if not total:
        return []
    count = -(-total // most)
    ends, before = [0] * count, 0
    for place, length in enumerate(lengths):
        part = min(int((before + length / 2) * count / total), count - 1)
        ends[part:] = [place + 1] * (count - part)
        before += length
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False) if start < end]


def _blocks_of(code: str, pages: Mapping[Name, bytes]) -> dict[Name, list[Block]]:
    titles: dict[str, dict[str, str]] = {}
    for (manual, page), content in pages.items():
        titles.setdefault(manual, {}).update(titles_of(content, f"{code}/{manual}/{page}"))
    return {
        (manual, page): read_blocks(content, titles[manual], f"{code}/{manual}/{page}")
        for (manual, page), content in pages.items()
    }


def _page(name: Name, blocks: Mapping[str, Sequence[Block]]) -> Page:
    english = blocks[PIVOT]
    shown = [place for place, block in enumerate(english) if block.text]
    paragraphs = {PIVOT: tuple(english[place].text for place in shown)}
    for code, translated in blocks.items():
        if code != PIVOT and [b.kind for b in translated] == [b.kind for b in english]:
            paragraphs[code] = tuple(_translated(english[p].text, translated[p].text, code) for p in shown)
    return Page("/".join(name), paragraphs)


def _translated(english: str, text: str, language: str) -> str:
    """The text; nothing where it is none of the language. Names, paths and short headings may stay as they are."""
    return text if len(english.split()) < FEWEST_WORDS or is_translation(english, text, language) else ""


def _marked_near(documents: Sequence[Meaning]) -> Iterator[Meaning]:
    """The documents; those of evaluation and development that training half knows with `heldout` = "near"."""
    trained = {words_of(text) for one in documents if one.split == "train" for text in one.english.split("\n")}
    for one in documents:
        paragraphs = [words_of(text) for text in one.english.split("\n")]
        known = sum(len(words) for words in paragraphs if words in trained)
        near = one.split in ("eval", "development") and known >= NEAR * sum(map(len, paragraphs))
        yield replace(one, heldout="near") if near else one
