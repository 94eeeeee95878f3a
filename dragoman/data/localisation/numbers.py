"""Rules about local formats: a number, an amount of money or a day that the reference writes as its locale does.

They are read in the source by its own locale's form (Unicode CLDR through Babel), and offered where the reference has
the target's and that differs from the source's: otherwise copying would do.
"""

import datetime
import re
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

from dragoman.data.localisation.rules import Asked, Rule, Task
from dragoman.text.locales import to_plain

_NUMBER = re.compile(
    r"(?<![\w.,/-])\d{1,3}(?:[.,\u00a0\u202f ’']\d{3})+(?:[.,]\d+)?(?![\w/-])|(?<![\w.,/-])\d+[.,]\d+(?![\w.,/-])"
)
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "zł": "PLN", "Kč": "CZK"}
_SIGN = "|".join(map(re.escape, _SIGNS)) + "|" + "|".join(sorted(set(_SIGNS.values())))
_DAY = re.compile(r"(?<!\d)(\d{1,4})([./-])(\d{1,2})\2(\d{2,4})(?!\d)")


def number_formats(task: Task, random: Random) -> Iterator[Asked]:
    """A number with separators; with a currency beside it, the amount."""
    if task.form is not None:
        return
    for match in _NUMBER.finditer(task.source):
        value = _value(match[0], task.source_language)
        if value is None or match[0] in task.target:
            continue
        currency = _currency(task.source, *match.span())
        locale = task.target_language
        kwargs: dict[str, Any] = {"number": value, "locale": locale}
        id, wording, slots = "mt:number_format", "number_format", {"number": match[0]}
        if currency:
            kwargs = {"amount": value, "currency": currency, "locale": locale}
            id, wording, slots = "mt:currency_format", "currency_format", {"amount": f"{match[0]} {currency}"}
        if task.shows(id, kwargs):
            yield Asked(id, kwargs, wording, slots)
            return


def days(task: Task, random: Random) -> Iterator[Asked]:
    """A day."""
    if task.form is not None:
        return
    for text, day in _days(task.source, task.source_language):
        kwargs = {"date": day.isoformat(), "locale": task.target_language}
        if text not in task.target and task.shows("mt:date_format", kwargs):
            yield Asked("mt:date_format", kwargs, "date_format", {"date": text})
            return


def _value(text: str, locale: str) -> float | None:
    """A number in its locale's form; None when it is not in that form."""
    plain = to_plain(text, locale)
    if not re.fullmatch(r"\d+(\.\d+)?", plain):
        return None
    return float(plain) if "." in plain else int(plain)


def _currency(text: str, start: int, end: int) -> str:
    """Code of the currency that stands beside a number; empty without one."""
    before, after = re.search(rf"({_SIGN})\s?\Z", text[:start]), re.match(rf"\s?({_SIGN})(?!\w)", text[end:])
    match = before or after
    return _SIGNS.get(match[1], match[1]) if match else ""


def _days(text: str, locale: str) -> Iterator[tuple[str, datetime.date]]:
    """Days in figures in the locale's order, and with the name of a month, as they stand there."""
    order, months = _order(locale), _months(locale)
    for match in _DAY.finditer(text):
        parts = [int(match[1]), int(match[3]), int(match[4])]
        named = dict(zip("ymd" if len(match[1]) == 4 else order, parts, strict=True))
        if named["y"] > 999:
            yield from _day(match[0], named["y"], named["m"], named["d"])
    names, of = "|".join(map(re.escape, months)), r"(?:de\s+)?"
    pattern = rf"(?:(\d{{1,2}})\.?\s+{of})?({names})(?:\s+(\d{{1,2}}),)?\s+{of}(\d{{4}})"
    for match in re.finditer(pattern, text, re.IGNORECASE) if months else ():
        if bool(match[1]) != bool(match[3]):
            yield from _day(match[0], int(match[4]), months[match[2].lower()], int(match[1] or match[3]))


def _day(text: str, year: int, month: int, day: int) -> Iterator[tuple[str, datetime.date]]:
    try:
        yield text, datetime.date(year, month, day)
    except ValueError:
        return  # figures that are no day


@lru_cache(maxsize=256)
def _order(locale: str) -> str:
    """`dmy`, `mdy` or `ymd`."""
    from babel import Locale

    pattern = Locale.parse(locale.replace("-", "_")).date_formats["short"].pattern
    return "".join(dict.fromkeys(c for c in pattern.lower() if c in "dmy"))


@lru_cache(maxsize=256)
def _months(locale: str) -> dict[str, int]:
    """Full names of months in lower case, those that stand in a date."""
    from babel import Locale

    return {
        name.lower(): number for number, name in Locale.parse(locale.replace("-", "_")).months["format"]["wide"].items()
    }


RULES: tuple[Rule, ...] = (number_formats, days)
