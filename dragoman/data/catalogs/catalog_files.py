"""Catalogs inside wheels: English strings with their translations, string by string.

| package | files | how a string is named |
|---|---|---|
| homeassistant | components/*/translations/LANGUAGE.json | by its path in the object; English is a file, too |
| horizon, indico | */LANGUAGE/LC_MESSAGES/*.po | by the English text itself; fuzzy entries are left out |
"""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.data.catalogs.filters import plain
from dragoman.data.catalogs.settings import PIVOT
from dragoman.packages.archives import matching_members
from dragoman.packages.records import Package

_JSON = r"homeassistant/components/([^/]+)/translations/(?:([a-z_]+)\.)?([A-Za-z0-9-]+)\.json"
_PO = r"(.*/)([A-Za-z_]+)/LC_MESSAGES/([^/]+)\.po"


@dataclass(frozen=True)
class Entry:
    """An English string and one translation of it."""

    english: str
    language: str
    """As the recipe calls it"""
    text: str
    place: str
    """Package and file, for the provenance"""


def read_catalog(package: Package, wheel: Path, languages: tuple[str, ...]) -> tuple[list[Entry], frozenset[str]]:
    """Entries in the languages asked for, in the order of the files; and the codes of all languages that are there."""
    files = list(matching_members(wheel, _JSON if package.name == "homeassistant" else _PO))
    json_files = package.name == "homeassistant"
    codes = frozenset(match[3] if json_files else match[2] for match, _ in files)
    chosen = {code: found for code in languages if (found := nearest_code(code, codes)) is not None}
    read = _json_entries if json_files else _po_entries
    return list(read(package, files, chosen)), codes


def nearest_code(wanted: str, codes: frozenset[str]) -> str | None:
    """What a catalog calls a language: the same code, or the one with the region or script it has by default (CLDR)."""
    from babel.core import get_global

    written = {code.replace("-", "_").lower(): code for code in codes}
    code = wanted.replace("-", "_").lower()
    likely = str(get_global("likely_subtags").get(code, "")).lower().split("_")
    shapes = [code]
    if len(likely) == 3:
        language, script, territory = likely
        shapes += [f"{language}_{territory}", f"{language}_{script}", f"{language}_{script}_{territory}"]
    return next((written[shape] for shape in shapes if shape in written), None)


Files = list[tuple[re.Match[str], bytes]]


def _json_entries(package: Package, files: Files, chosen: Mapping[str, str]) -> Iterator[Entry]:
    groups: dict[tuple[str, str | None], dict[str, bytes]] = {}
    for match, content in files:
        groups.setdefault((match[1], match[2]), {})[match[3]] = content
    for (component, platform), by_code in groups.items():
        english = dict(_flat(json.loads(by_code[PIVOT]))) if PIVOT in by_code else {}
        place = f"{package.title}, {component}{f'/{platform}' if platform else ''}"
        for language, code in chosen.items():
            for path, text in _flat(json.loads(by_code[code])) if code in by_code else ():
                if path in english:
                    yield Entry(plain(english[path]), language, plain(text), place)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}/{name}")
    elif isinstance(value, str):
        yield path, value


def _po_entries(package: Package, files: Files, chosen: Mapping[str, str]) -> Iterator[Entry]:
    from babel.messages.pofile import read_po

    languages = {code: language for language, code in chosen.items()}
    for match, content in files:
        if match[2] in languages:
            for message in read_po(io.BytesIO(content)):
                english, text = message.id, message.string
                if english and isinstance(english, str) and isinstance(text, str) and not message.fuzzy:
                    yield Entry(plain(english), languages[match[2]], plain(text), f"{package.title}, {match[3]}")
