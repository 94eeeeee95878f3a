"""Line by line: Moses pairs, CSV and TSV, JSON lines in any layout; one line in memory at a time, compressed or not."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dragoman.data.corpora.formats.base import (
    Format,
    PlacedRow,
    languages_of,
    register_format,
    segment,
    value_at,
)
from dragoman.data.corpora.segments import InputError, Segment
from dragoman.data.readers.texts import each_line
from dragoman.files import COMPRESSED, read_lines

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings

CHATS = ("messages", "prompt", "conversations")


class Moses(Format):
    """Two files with a line for a line: `path` without its endings, which are the languages."""

    name = "moses"

    def paths(self, asked: InputSettings) -> list[Path]:
        if asked.target_path is not None:
            return [asked.file, Path(asked.target_path).expanduser()]
        return [_side(asked.file, code) for code in languages_of(asked)]

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        first, second = self.paths(asked)
        languages = languages_of(asked)
        for number, (source, target) in enumerate(zip_longest(each_line(first), each_line(second)), start=1):
            if source is None or target is None:
                counts = [sum(1 for _ in each_line(path)) for path in (first, second)]
                raise InputError(
                    f"{first} has {counts[0]} lines and {second} {counts[1]}; they must go line by line, so look for "
                    "a line break inside a text, or align them again"
                )
            yield segment(asked, source, target, languages, f":{number}")


def _side(stem: Path, code: str) -> Path:
    """The file of a language beside another's: `corpus.de`, or `corpus.de.gz` where only that is there."""
    plain = stem.with_name(f"{stem.name}.{code}")
    compressed = (plain.with_name(plain.name + ending) for ending in COMPRESSED)
    return plain if plain.exists() else next((path for path in compressed if path.exists()), plain)


class Separated(Format):
    """Columns by name (`columns`), or the first two where no header names them."""

    def __init__(self, name: str, suffix: str, delimiter: str) -> None:
        self.name, self.suffixes, self.delimiter = name, (suffix,), delimiter  # type: ignore[misc]

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        for place, row in self.rows(asked):
            yield from_columns(asked, row, place, tuple(row))

    def rows(self, asked: InputSettings) -> Iterator[PlacedRow]:
        rows = _tabbed(asked) if self.delimiter == "\t" else _quoted(asked, self.delimiter)
        names = next(rows, (0, []))[1] if asked.header else [str(n) for n in range(2)]
        for number, row in rows:
            if asked.header and any(map(str.strip, row[len(names) :])):
                raise InputError(
                    f"{asked.path}:{number} has {len(row)} columns and the header {len(names)}; look for a "
                    f"{'tab' if self.delimiter == chr(9) else self.delimiter!r} inside a text"
                )
            yield f":{number}", dict(zip(names, row, strict=False))


def _tabbed(asked: InputSettings) -> Iterator[tuple[int, list[str]]]:
    """Cells of the lines that are not empty, with the line's number."""
    return ((number, line.split("\t")) for number, line in enumerate(each_line(asked.file), start=1) if line)


def _quoted(asked: InputSettings, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Cells of the rows that are not empty, with the number of the row's last line. InputError names the first line of
    a row whose quotation marks do not close: read on, it would swallow the rows after it."""
    lines = (line.replace("\0", "\ufffd") + "\n" for line in each_line(asked.file))
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in rows:
            if row:
                yield rows.line_num, row
            begins = rows.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{asked.path}:{begins} is no row of CSV ({error}); close every quotation mark, and double those inside a "
            "text"
        ) from None


class JsonLines(Format):
    """Objects with a column for each side, nested ones by dots; also chats, verl's and TRL's rows by their columns."""

    name = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        for place, row in self.rows(asked):
            yield from_columns(asked, row, place, tuple(row))

    def rows(self, asked: InputSettings) -> Iterator[PlacedRow]:
        return ((f":{number}", row) for number, row in read_lines(asked.file))


def from_columns(asked: InputSettings, row: Mapping[str, object], place: str, known: tuple[str, ...]) -> Segment:
    """The segment of one row; InputError names the column that it lacks, and those it has."""
    columns = asked.columns
    texts = {}
    for side, column in (("source", columns.source), ("target", columns.target)):
        text = value_at(row, column)
        if text is None:
            raise InputError(
                f"{asked.path}{place} has no text in column {column!r}; name it under columns.{side}, known are "
                f"{', '.join(known[:12])}"
            )
        texts[side] = text
    stated = (value_at(row, columns.source_language), value_at(row, columns.target_language))
    languages = (stated[0], stated[1]) if stated[0] and stated[1] else languages_of(asked)
    draft = (value_at(row, columns.draft) or "") if columns.draft else ""
    return segment(asked, texts["source"], texts["target"], languages, place, draft=draft)


register_format(Moses())
register_format(Separated("csv", ".csv", ","))
register_format(Separated("tsv", ".tsv", "\t"))
register_format(JsonLines())
