"""Meanings: an English text with its translations, in one split of the data.

Flow: entries of every catalog -> one `Meaning` for each English text, translations filtered -> a split by the hash of
its question -> `without_leaks`: no text of a held-out meaning, in any language, stands in an earlier split.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dragoman.data.catalogs.catalog_files import Entry
from dragoman.data.catalogs.filters import is_sentence, is_translation
from dragoman.data.catalogs.identity import HELD_OUT_FIRST, Split, cluster_of, question_of, split_of, words_of
from dragoman.data.catalogs.settings import PIVOT


@dataclass(frozen=True)
class Meaning:
    """One text in several languages."""

    texts: Mapping[str, str]
    """By language; English is always there"""
    cluster: str
    """Its question: whatever has the same one is in the same split"""
    split: Split
    provenance: str
    licence: str
    heldout: str = "string"
    """What makes it new where it is evaluated: a string, one near a trained one (nearness.py), or a book"""

    @property
    def is_verse(self) -> bool:
        """Whether it is of the Bible, and not of a catalog."""
        return self.heldout in ("book", "chapter")

    @property
    def english(self) -> str:
        """The text that the others translate."""
        return self.texts[PIVOT]

    def has(self, *languages: str) -> bool:
        """Whether all of them are there."""
        return all(language in self.texts for language in languages)


def catalog_meanings(
    entries: Iterable[Entry], licences: Mapping[str, str], most_words: int, seed: int
) -> list[Meaning]:
    """Of entries in their order; `licences` by the package's title, with which an entry's place begins.

    Where two catalogs have an English text that differs in nothing but case, punctuation, names of placeholders or
    numbers, the first one counts.
    """
    found: dict[tuple[str, ...], tuple[Entry, dict[str, str]]] = {}
    for entry in entries:
        words = words_of(entry.english)
        first, texts = found.setdefault(words, (entry, {}))
        fits = entry.english == first.english and is_sentence(entry.english, most_words)
        if fits and entry.language not in texts and is_translation(entry.english, entry.text, entry.language):
            texts[entry.language] = entry.text
    return [_meaning(first, texts, licences, seed) for first, texts in found.values() if texts]


def _meaning(first: Entry, texts: Mapping[str, str], licences: Mapping[str, str], seed: int) -> Meaning:
    question = question_of(first.english)
    licence = licences[first.place.split(", ")[0]]
    return Meaning(
        {PIVOT: first.english, **texts}, cluster_of(question), split_of(question, seed), first.place, licence
    )


def without_leaks(meanings: Sequence[Meaning]) -> list[Meaning]:
    """The meanings, in their order, without those texts that a split held out before them has, word for word.

    Two English texts may have one German translation; then the German text is left out of the training meaning, and
    the whole meaning where it is the English one that occurs.
    """
    owner: dict[tuple[str, tuple[str, ...]], Split] = {}
    for split in HELD_OUT_FIRST:
        for meaning in (m for m in meanings if m.split == split):
            for language, text in meaning.texts.items():
                owner.setdefault((language, words_of(text)), split)
    return list(_cleaned(meanings, owner))


def _cleaned(meanings: Iterable[Meaning], owner: Mapping[tuple[str, tuple[str, ...]], Split]) -> Iterator[Meaning]:
    for meaning in meanings:
        kept = {code: text for code, text in meaning.texts.items() if owner[code, words_of(text)] == meaning.split}
        if PIVOT in kept and len(kept) > 1:
            yield replace(meaning, texts=kept)
