"""Numbers in running text, whatever digits and separators they are written with.

A separator is ambiguous (`1,234` is 1234 in English and 1.234 in German), so a number is the set of values it
may have, and two numbers are the same when their sets meet. Counts before 万, 億, 만 and the like are multiplied
out. What looks like a date or a version (`12.03.2024`) is its parts.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

_SPACES = " \u00a0\u202f\u2009"
_GROUPED = rf"\d{{1,3}}(?:([{_SPACES}.,'’٬])\d{{3}})(?:\1\d{{3}})*(?!\d)"
_INDIAN = r"\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"
_TOKEN = re.compile(rf"(?:{_INDIAN}|{_GROUPED}|\d+)(?:[.,٫]\d+)*")
_SCALES = {"万": 10**4, "萬": 10**4, "만": 10**4, "亿": 10**8, "億": 10**8, "억": 10**8}
_ASCII_MARKS = str.maketrans("−٫٬٪％。", "-.,%%.")
_WIDE_NUMBER = re.compile("[０-９][０-９，．]*[０-９]")
Values = frozenset[Fraction]


@dataclass(frozen=True)
class Number:
    """What a number of a text may be, and where it stands; the parts of a date all stand where the date does."""

    values: Values
    start: int
    end: int


def normalise_digits(text: str) -> str:
    """Decimal digits of every script as ASCII, the minus sign as a hyphen, Arabic separators and those between wide
    digits as ASCII.
    """
    text = _WIDE_NUMBER.sub(lambda number: unicodedata.normalize("NFKC", number[0]), text)
    digits = {ord(c): str(unicodedata.decimal(c)) for c in set(text) if c.isdecimal() and not c.isascii()}
    return text.translate(_ASCII_MARKS).translate(digits)


def same_numbers(source: str, response: str, allow_more: bool) -> bool | None:
    """Whether the response has the source's numbers, each as often; None when the source has none."""
    if not numbers_in(source):
        return None
    lost, added = unmatched_numbers(source, response)
    return not lost and (allow_more or not added)


def unmatched_numbers(source: str, response: str) -> tuple[list[Number], list[Number]]:
    """The source's numbers that the response lacks, and the response's that the source lacks, each in order."""
    left, lost = sorted(numbers_in(response), key=_readings_count), []
    for number in sorted(numbers_in(source), key=_readings_count):
        match = next((other for other in left if other.values & number.values), None)
        if match is None:
            lost.append(number)
        else:
            left.remove(match)
    return sorted(lost, key=_start), sorted(left, key=_start)


def _readings_count(number: Number) -> int:
    return len(number.values)


def _start(number: Number) -> int:
    return number.start


def numbers_in(text: str) -> list[Number]:
    """Each number of the text with its possible values, in order."""
    plain = "".join(str(unicodedata.digit(c)) if c.isdigit() and unicodedata.digit(c, -1) >= 0 else c for c in text)
    found: list[Number] = []
    for match in _TOKEN.finditer(plain):
        scale = _SCALES.get(plain[match.end() : match.end() + 1], 1)
        end = match.end() + (scale > 1)
        readings = (frozenset(value * scale for value in values) for values in _readings(match[0]))
        found += [Number(values, match.start(), end) for values in readings]
    return found


def _readings(token: str) -> list[Values]:
    """One set of values, or one for each part of a date or version."""
    marks = re.findall(r"\D", token)
    parts = re.split(r"\D", token)
    if not marks:
        return [frozenset({Fraction(token)})]
    groups = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    if len(marks) == 1:
        decimal = Fraction(f"{parts[0]}.{parts[1]}") if marks[0] in ".,٫" else None
        whole = Fraction("".join(parts)) if groups and parts[0] != "0" else None
        return [frozenset(value for value in (decimal, whole) if value is not None)]
    if len(set(marks)) == 1:
        indian = marks[0] == "," and len(parts[-1]) == 3 and all(len(part) == 2 for part in parts[1:-1])
        if groups or indian:
            return [frozenset({Fraction("".join(parts))})]
    elif len(set(marks[:-1])) == 1 and marks[-1] in ".,٫":
        return [frozenset({Fraction("".join(parts[:-1]) + "." + parts[-1])})]
    return [frozenset({Fraction(part)}) for part in parts]
