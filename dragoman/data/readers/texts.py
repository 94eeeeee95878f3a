"""A file's text, decoded in one place: byte order marks, declared encodings, lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from dragoman.data.corpora.segments import InputError
from dragoman.files import opened

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
"""Byte order marks and what follows them; those that begin like another one first"""
_PIECE = 1 << 20
"""Bytes read at a time"""
_XML_ENCODING = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")


@dataclass(frozen=True)
class FileText:
    """The text of a file, and how it goes back into bytes."""

    text: str
    encoding: str
    mark: bytes = b""
    """Byte order mark"""

    def bytes_with(self, text: str, errors: str = "strict") -> bytes:
        """Another text as bytes of the same encoding; InputError when that has no such letter."""
        try:
            return self.mark + text.encode(self.encoding, errors)
        except UnicodeEncodeError as error:
            raise InputError(
                f"{self.encoding} cannot write {error.object[error.start]!r}; save the file as UTF-8 first"
            ) from None


def bytes_of(path: Path) -> bytes:
    """A file's content; InputError when it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; give the path of a file") from None


def file_text(path: Path, declared: re.Pattern[bytes] | None = None) -> FileText:
    """A file's text. `declared` finds the encoding that the content itself names, where no byte order mark does."""
    return decoded(bytes_of(path), str(path), declared)


def decoded(content: bytes, name: str, declared: re.Pattern[bytes] | None = None) -> FileText:
    """As `file_text`, of content that was read already; InputError names the line and byte that is not of its
    encoding."""
    mark, encoding = _mark(content)
    if not mark and declared and (match := declared.search(content)):
        encoding = match[1].decode("ascii")
    try:
        return FileText(content[len(mark) :].decode(encoding), encoding, mark)
    except UnicodeDecodeError as error:
        line = content[: len(mark) + error.start].count(b"\n") + 1
        byte = f"byte 0x{error.object[error.start]:02x}"
        raise InputError(f"{name}:{line} is not {encoding} ({byte}); save the file as UTF-8") from None
    except LookupError:
        raise InputError(
            f"{name} says that it is written in {encoding!r}, which nobody knows; save it as UTF-8"
        ) from None


def _mark(content: bytes) -> tuple[bytes, str]:
    """The byte order mark that content begins with, and the encoding that it means; none is UTF-8."""
    return next(((mark, named) for mark, named in _MARKS if content.startswith(mark)), (b"", "utf-8"))


def xml_text(path: Path) -> FileText:
    """The text of an XML file, in the encoding of its declaration."""
    return file_text(path, _XML_ENCODING)


def read_text(path: Path) -> str:
    """A whole file as text, its byte order mark removed."""
    return file_text(path).text


def lines_of(path: Path) -> list[str]:
    """All lines of a text file, as `each_line` reads them."""
    return list(each_line(path))


def each_line(path: Path) -> Iterator[str]:
    """The lines of a text file, one in memory at a time; compressed files (`.gz`, `.bz2`, `.xz`, `.zst`) as what they
    hold. A line ends at a line feed (with or without carriage return) and nowhere else.

    InputError names the line that is not of the file's encoding, and a file that has carriage returns alone, which
    would be one line; FileError a compressed one that is damaged.
    """
    try:
        with opened(path) as content:
            mark, encoding = _mark(head := content.read(4))
            lines = _decoded_lines(chain([head[len(mark) :]], _pieces(content)), encoding, str(path))
            for number, line in enumerate(lines, start=1):
                if number == 1 and "\r" in line.rstrip("\r\n") and not line.endswith("\n"):
                    raise InputError(f"{path}:1 ends its lines with carriage returns alone; save it with line feeds")
                yield line.removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; give the path of a file") from None


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(_PIECE):
        yield piece


def _decoded_lines(pieces: Iterable[bytes], encoding: str, name: str) -> Iterator[str]:
    """Lines with their ends, of bytes that come in pieces."""
    decoder, rest, number = codecs.getincrementaldecoder(encoding)(), "", 1
    for piece in chain(pieces, [b""]):
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            line = number + rest.count("\n") + error.object[: error.start].decode(encoding, "replace").count("\n")
            byte = f"byte 0x{error.object[error.start]:02x}"
            raise InputError(f"{name}:{line} is not {encoding} ({byte}); save the file as UTF-8") from None
        *whole, rest = (rest + text).split("\n")
        yield from (f"{line}\n" for line in whole)
        number += len(whole)
    if rest:
        yield rest


def spliced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """The text with pieces (start, end, new) replaced; they do not overlap, and those of one place stay in order."""
    parts, done = [], 0
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]])
