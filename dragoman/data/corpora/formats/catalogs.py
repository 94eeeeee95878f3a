"""Catalogs of software: PO, JSON and ARB, and subtitles."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dragoman.data.corpora.formats.base import (
    Format,
    bytes_of,
    languages_of,
    lines_of,
    read_text,
    register_format,
    segment,
)
from dragoman.data.corpora.segments import InputError, Segment

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings


class Po(Format):
    """Messages with a translation; of a plural its singular and each other form. Fuzzy ones have the state `fuzzy`."""

    name = "po"
    suffixes: ClassVar[tuple[str, ...]] = (".po",)

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        from babel.messages.pofile import PoFileError, read_po

        try:
            catalog = read_po(io.BytesIO(bytes_of(asked.file)), abort_invalid=True)
        except (PoFileError, UnicodeDecodeError, ValueError) as error:
            raise InputError(f"{asked.path} is no catalog of gettext ({error}); check it with msgfmt -c") from None
        languages = asked.languages or ("en", catalog.locale_identifier or "")
        if not languages[1]:
            raise InputError(f"{asked.path} names no language in its header; add languages: [source, target]")
        for message in catalog:
            for source, target in _forms(message):
                state = "fuzzy" if message.fuzzy else ""
                if source and target and (not asked.states or state in asked.states) and (asked.states or not state):
                    place = f":{message.lineno}" if message.lineno else f"#{message.context or source[:40]}"
                    yield segment(asked, source, target, languages, place, state=state)


def _forms(message: Any) -> Iterator[tuple[str, str]]:
    if isinstance(message.id, str):
        yield message.id, message.string if isinstance(message.string, str) else ""
        return
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    for number, text in enumerate(forms):
        yield message.id[0 if number == 0 else -1], text


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
        translations = dict(_texts(_object(second)))
        for key, source in _texts(_object(first)):
            if key in translations:
                yield segment(asked, source, translations[key], languages_of(asked), f"#{key}")


def _object(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); export it again") from None


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Texts by their dotted keys; what ARB says about a message (`@key`) is none."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not name.startswith("@"):
                yield from _texts(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{key}[{number}]")


TIMES = re.compile(r"(\d+):(\d\d):(\d\d)[.,](\d{1,3})\s*(?:-->|,)\s*(\d+):(\d\d):(\d\d)[.,](\d{1,3})")
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
        others = list(_cues(second))
        place = 0
        for start, source, line in _cues(first):
            while place < len(others) and others[place][0] < start - _MOST_APART_S:
                place += 1
            if place < len(others) and abs(others[place][0] - start) <= _MOST_APART_S:
                yield segment(asked, source, others[place][1], languages_of(asked), f":{line}")
                place += 1


def _cues(path: Path) -> Iterator[tuple[float, str, int]]:
    """Start in seconds, text on one line, and the line of the times."""
    start, begun, held = 0.0, 0, list[str]()
    for number, line in enumerate([*lines_of(path), ""], start=1):
        if match := TIMES.search(line):
            hours, minutes, seconds, fraction = match.groups()[:4]
            start = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + int(fraction.ljust(3, "0")) / 1000
            begun, held = number, []
        elif line.strip() and begun:
            held.append(line.strip())
        elif begun and held:
            yield start, " ".join(held), begun
            begun, held = 0, []


register_format(Po())
register_format(JsonCatalog())
register_format(Subtitles())
