"""What a document to translate is, the table of their formats, and the languages that a file states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dragoman.data.corpora.segments import InputError
from dragoman.text.languages import same_language


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


def check_language(path: Path, what: str, stated: str | None, wanted: str) -> None:
    """InputError when a file says another language than the command does."""
    if stated and not same_language(stated, wanted):
        raise InputError(f"{path}: {what} is {stated}, not {wanted}; give the file's languages with --from and --to")
