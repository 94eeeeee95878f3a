"""The entries of gettext's catalogs with their lines. Babel reads a file first: what it refuses is no catalog."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dragoman.data.corpora.segments import InputError
from dragoman.data.readers.texts import FileText, file_text

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CHARSET = re.compile(rb'"Content-Type:[^"]*?charset=(?!CHARSET)([\w.:-]+)', re.IGNORECASE)
_KEYWORD = re.compile(r"\s*(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s*(?=\")")
_QUOTED = re.compile(r'\s*"(.*)"\s*\Z', re.DOTALL)


@dataclass
class Entry:
    """A message and the numbers of its lines."""

    texts: dict[str, str] = field(default_factory=dict)
    """msgid, msgid_plural, msgctxt"""
    forms: dict[int, str] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    """Of its `msgstr`"""
    flags: list[int] = field(default_factory=list)
    """Lines of flags"""
    begin: int = 0
    """The line of its first keyword"""
    fuzzy: bool = False


@dataclass(frozen=True)
class Catalog:
    """A file of gettext."""

    file: FileText
    lines: list[str]
    """With their ends"""
    header: str
    """The translation of the empty message; empty where there is none"""
    entries: list[Entry]
    """Those in use, in order; obsolete ones (`#~`) and the header are not among them"""

    @property
    def language(self) -> str | None:
        """As the header says it."""
        stated = re.search(r"^Language:[ \t]*([\w@-]+)", self.header, re.MULTILINE)
        return stated and stated[1]


def read_catalog(path: Path) -> Catalog:
    """A PO or POT file; InputError when it is none."""
    from babel.messages.pofile import PoFileError, read_po

    file = file_text(path, _CHARSET)
    filled_in = re.sub(r'"Plural-Forms:[^"\n]*INTEGER[^"\n]*"', '""', file.text).replace("=CHARSET", "=UTF-8")
    try:
        read_po(io.StringIO(filled_in), abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise InputError(f"{path} is no catalog of gettext ({error}); check it with msgfmt -c") from None
    lines = re.split(r"(?<=\n)", file.text)
    entries = list(_entries(lines))
    header = next((entry.forms.get(0, "") for entry in entries if not entry.texts.get("msgid")), "")
    return Catalog(file, lines, header, [entry for entry in entries if entry.texts.get("msgid")])


def _entries(lines: Sequence[str]) -> Iterator[Entry]:
    """The entries that are in use, in order."""
    entry, keyword, form = Entry(), "", 0
    for number, line in enumerate(lines):
        start = line.lstrip()
        found = _KEYWORD.match(line)
        if entry.lines and (start.startswith("#") or (found and found[1] in ("msgctxt", "msgid"))):
            yield entry
            entry, keyword = Entry(), ""
        if start.startswith("#,"):
            entry.flags.append(number)
            entry.fuzzy |= "fuzzy" in [flag.strip() for flag in start[2:].split(",")]
        if start.startswith("#~"):
            entry = Entry()
        elif found:
            keyword, form = found[1], int(found[2] or 0)
            entry.begin = entry.begin if entry.texts else number
        quoted = _QUOTED.match(line[found.end() :] if found else line)
        if keyword and quoted and not start.startswith("#"):
            text = _unescaped(quoted[1])
            if keyword == "msgstr":
                entry.forms[form] = entry.forms.get(form, "") + text
                entry.lines.append(number)
            else:
                entry.texts[keyword] = entry.texts.get(keyword, "") + text
    if entry.lines:
        yield entry


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), text)
