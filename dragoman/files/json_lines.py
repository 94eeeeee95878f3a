"""JSON lines: one reader, one writer, one rewind.

A line ends at "\\n" and nowhere else: a text may hold U+2028, U+2029, U+0085 or a vertical tab, at which Python's
`splitlines` cuts. A byte order mark is no part of the first line, and half of a surrogate pair (`"\\ud83d"` alone),
which no encoding can write, becomes U+FFFD.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dragoman.files.atomic import write_text
from dragoman.files.compressed import opened
from dragoman.files.errors import FileError

Line = dict[str, Any]


def read_lines(path: Path) -> Iterator[tuple[int, Line]]:
    """Line numbers (from 1) and objects of a file; `FileError` names the first line that is not a JSON object.

    One line is in memory at a time. Compressed files (`.jsonl.gz`) are read as what they hold.
    """
    try:
        with opened(path) as lines:
            for number, line in enumerate(lines, start=1):
                where = f"{path}:{number}"
                if text := _decoded(_without_mark(line, path) if number == 1 else line, where).strip():
                    yield number, _object(text, where)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}; give the path of a file of JSON lines") from None


def _without_mark(first: bytes, path: Path) -> bytes:
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileError(f"{path} is written in UTF-16; save it as UTF-8")
    return first.removeprefix(codecs.BOM_UTF8)


def _decoded(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        before = line[: error.start][-20:].decode("utf-8", "replace")
        raise FileError(
            f"{where} is not UTF-8 (byte 0x{line[error.start]:02x} after {before!r}); save the file as UTF-8"
        ) from None


def _object(line: str, where: str) -> Line:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "") or str(error)
        raise FileError(f"{where} is not JSON ({reason}); write one JSON object a line") from None
    if not isinstance(found, dict):
        raise FileError(f"{where} holds a {type(found).__name__}, not an object; write one JSON object a line")
    return _without_lone_surrogates(found) if "\\ud" in line.lower() else found


def _without_lone_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(item) for key, item in value.items()}
    return value


def read_json(path: Path) -> Line | None:
    """The object in a file, or None when there is no such file."""
    return _object(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else None


def whole_lines(path: Path) -> tuple[list[Line], int]:
    """The objects of a log that a kill may have cut short, and how many lines are none; a missing file is empty."""
    found: list[Line] = []
    torn = 0
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else ():
        try:
            found += [_object(line, str(path))] if line.strip() else []
        except FileError:
            torn += 1
    return found, torn


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One line an object; the file is there whole or not at all."""
    write_text(path, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def append_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add lines to a log."""
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def rewind(path: Path, keep: Callable[[Line], bool]) -> None:
    """Keep the lines of a log that `keep` accepts; a torn line goes too. A missing log stays missing."""
    if path.exists():
        write_lines(path, [line for line in whole_lines(path)[0] if keep(line)])
