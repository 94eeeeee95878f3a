"""Addresses in running text: URLs, mails and handles, and where they end.

An address ends at white space, at punctuation of the sentence, at a direction mark, and where the script changes
inside a word: `https://a.org/helpを開く` is `https://a.org/help`. After a `/`, `=` and the like another script may go
on (`/wiki/Москва`); where that script writes without spaces, or Korean, it may as well be the sentence that goes on, so
such an address has two readings. Percent-encoded letters are read as what they stand for (RFC 3987).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from dragoman.text.normalisation import INVISIBLE
from dragoman.text.scripts import is_spaceless, script_of

_STOP = rf"\s<>\"'`|\\{INVISIBLE}"
_DOMAINS = (
    "com|org|net|edu|gov|io|dev|app|info|eu|int|uk|de|fr|es|it|pt|br|nl|ru|ua|pl|cz|jp|cn|tw|kr|in|ch|at|se|no|fi|dk"
)
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
_ADDRESS = re.compile(
    rf"(?P<url>(?<![A-Za-z0-9+.-])(?:[A-Za-z][A-Za-z0-9+.-]*://|www\.)[^{_STOP}]+)"
    rf"|(?P<mail>(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{{1,64}}@{_HOST}[A-Za-z]{{2,}})"
    rf"|(?P<bare>(?<![A-Za-z0-9@._/-]){_HOST}(?:{_DOMAINS})(?![A-Za-z0-9_-]|\.[A-Za-z])(?:[/?#][^{_STOP}]*)?)"
    rf"|(?P<handle>(?<![A-Za-z0-9_.@/%#$&])@[A-Za-z_][A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*(?:@{_HOST}[A-Za-z]{{2,}})?)"
)
_SEPARATORS = "/=?&#_.-:+~%@"
_TRAILING = ".,;:!?*"
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Address:
    """An address and where it stands."""

    text: str
    start: int
    readings: frozenset[str]
    """The address, and its part before a script that may belong to the sentence"""


def find_addresses(text: str) -> list[str]:
    """URLs without the punctuation that ends a sentence, mails and handles, in order."""
    return [address.text for address in _addresses(text)]


def address_places(text: str) -> list[tuple[int, int]]:
    """Where each address begins and ends, in order."""
    return [(address.start, address.start + len(address.text)) for address in _addresses(text)]


def same_addresses(source: str, response: str) -> bool | None:
    """Whether the response has the source's addresses, each as often, and no others; None when the source has none."""
    return None if not find_addresses(source) else unmatched_addresses(source, response) == ([], [])


def unmatched_addresses(source: str, response: str) -> tuple[list[Address], list[Address]]:
    """The source's addresses that the response lacks, and the response's that the source lacks, each in order."""
    lost, given = [], list(_addresses(response))
    for address in _addresses(source):
        match = next((other for other in given if other.readings & address.readings), None)
        if match is None:
            lost.append(address)
        else:
            given.remove(match)
    return lost, given


def _addresses(text: str) -> Iterator[Address]:
    place = 0
    while match := _ADDRESS.search(text, place):
        readings = _readings(match[0]) if match.lastgroup in ("url", "bare") else [match[0]]
        yield Address(readings[0], match.start(), frozenset(map(unquote, readings)))
        place = match.start() + max(len(readings[0]), 1)


def _readings(run: str) -> Sequence[str]:
    """The address that a run of characters begins with, the longest reading first."""
    end, short = len(run), None
    for place, character in enumerate(run):
        if character.isascii():
            continue
        before = run[place - 1]
        if not (character.isalpha() or (before.isalpha() and not before.isascii())) or _changes(before, character):
            end = place
            break
        if short is None and (is_spaceless(character) or script_of(character) == "HANGUL"):
            short = place
    cuts = [end] if short is None else [end, short]
    return [_without_punctuation(run[:cut]) for cut in cuts]


def _changes(before: str, character: str) -> bool:
    """Whether a letter is of another script than the one before it; digits go with any script but Latin's."""
    if before in _SEPARATORS:
        return False
    return script_of(before) != script_of(character) and not (character in "ーｰ々" or before in "ー々")


def _without_punctuation(address: str) -> str:
    """Without what ends the sentence; a bracket belongs to the address that opened it."""
    while address and (
        address[-1] in _TRAILING
        or (address[-1] in _PAIRS and address.count(address[-1]) > address.count(_PAIRS[address[-1]]))
    ):
        address = address[:-1]
    return address
