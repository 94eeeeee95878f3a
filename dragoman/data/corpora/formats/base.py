"""What a format is, and the table of them."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dragoman.data.corpora.segments import InputError, Segment
from dragoman.files import content_suffix
from dragoman.text.languages import LanguageError, base_code, canonical_code, language_name

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings

PlacedRow = tuple[str, Mapping[str, object]]
"""`:line`, and the columns"""


class Format(ABC):
    """Reads one kind of file. Holds no state: what differs between files is in `InputSettings`."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of file names that mean this format"""

    @abstractmethod
    def read(self, asked: InputSettings) -> Iterator[Segment]:
        """The segments of an input, in its order; `InputError` names the place that cannot be read."""

    def rows(self, asked: InputSettings) -> Iterator[PlacedRow]:
        """The rows of an input that has columns, each with its place in the file."""
        raise InputError(f"{asked.path}: the format {self.name!r} has no columns; give JSON lines, CSV or TSV")

    def paths(self, asked: InputSettings) -> list[Path]:
        """The files that an input is read from; they are part of what the data depend on."""
        return [asked.file]


_FORMATS: dict[str, Format] = {}


def register_format(form: Format) -> None:
    """Make a format known under its name and its endings."""
    _FORMATS[form.name] = form


def find_format(asked: InputSettings) -> Format:
    """The format that an input names, or that its ending means; InputError names those there are."""
    if asked.format is None:
        ending = content_suffix(asked.file)
        found = next((form for form in _FORMATS.values() if ending in form.suffixes), None)
        if found is None:
            raise InputError(f"{asked.path}: no format is known by {ending!r}; name one of {', '.join(_FORMATS)}")
        return found
    if asked.format not in _FORMATS:
        near = difflib.get_close_matches(asked.format, _FORMATS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_FORMATS)}"
        raise InputError(f"{asked.path}: unknown format {asked.format!r}; {hint}")
    return _FORMATS[asked.format]


def languages_of(asked: InputSettings) -> tuple[str, str]:
    """The two languages of an input whose file does not say them."""
    if asked.languages is None:
        raise InputError(f"{asked.path}: this format does not say its languages; add languages: [source, target]")
    return asked.languages


def segment(
    asked: InputSettings, source: str, target: str, languages: tuple[str, str], place: str, **more: str
) -> Segment:
    """A segment with what the input says of all of its segments; InputError names the place of an unknown language."""
    for code in languages:
        _check_language(code, f"{asked.path}{place}")
    name = asked.provenance or asked.file.name
    origin = {"domain": asked.domain, "provenance": name, "licence": asked.licence}
    first, second = map(canonical_code, languages)
    return Segment(source, target, first, second, f"{name}{place}", **{**origin, **more})


def _check_language(code: str, where: str) -> None:
    try:
        language_name(code)
    except LanguageError as error:
        raise InputError(f"{where}: {error}") from None
    if base_code(code) in _NO_LANGUAGE:
        raise InputError(f"{where} names no language ({code!r}); write the text's own, such as de or pt_BR")


_NO_LANGUAGE = ("und", "mul", "mis", "zxx")
"""ISO 639 for undetermined, multiple, uncoded, no linguistic content"""


def value_at(row: Mapping[str, object], key: str) -> str | None:
    """A text at a dotted key of nested objects; None where it is missing or no text."""
    value: object = row
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
