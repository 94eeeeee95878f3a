"""What a document to translate is, the table of their formats, and how a file's text is taken and put back."""

from __future__ import annotations

import codecs
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dragoman.data.corpora.formats.base import bytes_of
from dragoman.data.corpora.segments import InputError
from dragoman.text.languages import same_language

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
"""Byte order marks and what follows them; those that begin like another one first"""
_XML_ENCODING = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")


@dataclass(frozen=True)
class Asked:
    """What is to be translated, and how."""

    path: Path
    source: str
    """Language code of the texts"""
    target: str
    again: bool = False
    """Whether finished translations are made anew"""
    existing: Path | None = None
    """A catalog with translations that are there already, where the format keeps them in a file of their own"""


@dataclass(frozen=True)
class Slot:
    """A place for a translation."""

    place: str
    """`:line` or `#unit`, for people"""
    text: str
    """What to translate, inline codes as text"""
    finished: bool = False
    """A translation stands there that is to be left alone"""
    codes: tuple[str, ...] = ()
    """Pieces of the text that stand for inline codes; a translation has each as often"""
    keeps: Callable[[str], bool] = bool
    """Whether the format can put a translation with all of these back into the file"""
    doubt: str = ""
    """Why even a faithful translation is to be looked at"""


@dataclass(frozen=True)
class Answer:
    """A translation for a slot."""

    text: str
    note: str = ""
    """What is wrong with it; empty for a translation that may count as finished"""


class Document(ABC):
    """An opened file."""

    slots: Sequence[Slot]

    @abstractmethod
    def filled(self, answers: Sequence[Answer | None]) -> bytes:
        """The file with an answer to each slot; None leaves a slot as it is."""


class DocumentFormat(ABC):
    """Opens one kind of file."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def open(self, asked: Asked) -> Document:
        """The document of a file; `InputError` names the place that cannot be read."""


_FORMATS: dict[str, DocumentFormat] = {}


def register_document(form: DocumentFormat) -> None:
    """Make a format known under its name and its endings."""
    _FORMATS[form.name] = form


def open_document(asked: Asked) -> Document:
    """The document of a file by its ending; a file of an unknown ending is text, line by line."""
    ending = asked.path.suffix.lower()
    found = next((form for form in _FORMATS.values() if ending in form.suffixes), _FORMATS["text"])
    if asked.existing is not None and found.name != "json":
        raise InputError(
            f"--existing {asked.existing}: a {found.name} file holds its translations itself; leave it out"
        )
    return found.open(asked)


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


def file_text(path: Path, declared: re.Pattern[bytes] | None = None) -> FileText:
    """A file's text. `declared` finds the encoding that the content itself names, where no byte order mark does."""
    return decoded(bytes_of(path), str(path), declared)


def decoded(content: bytes, name: str, declared: re.Pattern[bytes] | None = None) -> FileText:
    """As `file_text`, of content that was read already; InputError names the line that is not of its encoding."""
    mark, encoding = next(((m, named) for m, named in _MARKS if content.startswith(m)), (b"", "utf-8"))
    if not mark and declared and (match := declared.search(content)):
        encoding = match[1].decode("ascii")
    try:
        return FileText(content[len(mark) :].decode(encoding), encoding, mark)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{name}:{line} is not {encoding}; save it as UTF-8") from None
    except LookupError:
        raise InputError(
            f"{name} says that it is written in {encoding!r}, which nobody knows; save it as UTF-8"
        ) from None


def xml_text(path: Path) -> FileText:
    """The text of an XML file, in the encoding of its declaration."""
    return file_text(path, _XML_ENCODING)


def spliced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """The text with pieces (start, end, new) replaced; they do not overlap, and those of one place stay in order."""
    parts, done = [], 0
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]])


def check_language(path: Path, what: str, stated: str | None, wanted: str) -> None:
    """InputError when a file says another language than the command does."""
    if stated and not same_language(stated, wanted):
        raise InputError(f"{path}: {what} is {stated}, not {wanted}; give the file's languages with --from and --to")
