"""Catalogs of software: PO, JSON and ARB, and subtitles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dragoman.data.corpora.formats.base import Format, languages_of, register_format, segment
from dragoman.data.corpora.segments import InputError, Segment
from dragoman.data.readers.cues import cues
from dragoman.data.readers.json_values import read_values
from dragoman.data.readers.po_entries import Entry, read_catalog
from dragoman.data.readers.texts import read_text

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings


class Po(Format):
    """Messages with a translation; of a plural its singular and each other form. Fuzzy ones have the state `fuzzy`."""

    name = "po"
    suffixes: ClassVar[tuple[str, ...]] = (".po",)

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        catalog = read_catalog(asked.file)
        languages = asked.languages or ("en", catalog.language or "")
        if not languages[1]:
            raise InputError(f"{asked.path} names no language in its header; add languages: [source, target]")
        for entry in catalog.entries:
            state = "fuzzy" if entry.fuzzy else ""
            if state in asked.states or (not asked.states and not state):
                for source, target in _forms(entry):
                    if target:
                        yield segment(asked, source, target, languages, f":{entry.begin + 1}", state=state)


def _forms(entry: Entry) -> Iterator[tuple[str, str]]:
    plural = entry.texts.get("msgid_plural", entry.texts["msgid"])
    for number, text in sorted(entry.forms.items()):
        yield entry.texts["msgid"] if number == 0 else plural, text


class JsonCatalog(Format):
    """Two JSON or ARB files with the same keys: `path` is the source's, `target_path` the translation's."""

    name = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".arb")

    def paths(self, asked: InputSettings) -> list[Path]:
        if asked.target_path is None:
            raise InputError(
                f"{asked.path}: a catalog has one language a file; add target_path, the translation's file"
            )
        return [asked.file, Path(asked.target_path).expanduser()]

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        first, second = self.paths(asked)
        translations = _texts(second)
        for key, source in _texts(first).items():
            if key in translations:
                yield segment(asked, source, translations[key], languages_of(asked), f"#{key}")


def _texts(path: Path) -> dict[str, str]:
    """Texts by their dotted keys, of equal keys the last; what ARB says about a message (`@key`) is none."""
    return {value.key: value.text for value in read_values(path)[1] if not value.described}


_MOST_APART_S = 0.5


class Subtitles(Format):
    """Two files of subtitles (SRT, SBV); cues that begin within half a second of each other are a segment."""

    name = "subtitles"
    suffixes: ClassVar[tuple[str, ...]] = (".srt", ".sbv", ".vtt")

    def paths(self, asked: InputSettings) -> list[Path]:
        if asked.target_path is None:
            raise InputError(
                f"{asked.path}: subtitles have one language a file; add target_path, the translation's file"
            )
        return [asked.file, Path(asked.target_path).expanduser()]

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        first, second = self.paths(asked)
        texts = read_text(first), read_text(second)
        others = list(cues(texts[1]))
        place = 0
        for cue in cues(texts[0]):
            while place < len(others) and others[place].start_s < cue.start_s - _MOST_APART_S:
                place += 1
            if place < len(others) and abs(others[place].start_s - cue.start_s) <= _MOST_APART_S:
                target = others[place].text(texts[1])
                yield segment(asked, cue.text(texts[0]), target, languages_of(asked), f":{cue.line}")
                place += 1


register_format(Po())
register_format(JsonCatalog())
register_format(Subtitles())
