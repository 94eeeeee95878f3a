"""Translation instructions about local formats: a date, number or amount as CLDR writes it (through Babel).

The response must hold one of the forms that CLDR has for the locale, from short to full; kinds of white space
count alike, and a form inside a longer number does not count.
"""

import datetime
import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any

from dragoman.text.locales import check_locale
from dragoman.text.normalisation import normalised
from rewards.constraints.registry import a_number, must_be, one_of
from rewards.translation.instruction_table import translation_instruction

_STYLES = ("short", "medium", "long", "full")
_SKELETONS = ("yMd", "yMMMd", "yMMMMd", "yMMMEd", "yMMMMEEEEd")


def _is_accepted(read: Callable[[Any], object], value: Any) -> bool:
    try:
        read(value)
    except (TypeError, ValueError):
        return False
    return True


a_date = must_be("a day such as 2024-03-05", partial(_is_accepted, datetime.date.fromisoformat))
a_locale = must_be(
    "a locale that CLDR knows, such as de or pt_BR", lambda value: _is_accepted(check_locale, str(value))
)
a_currency = must_be(
    "a code such as EUR", lambda value: isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) is not None
)


@translation_instruction("mt:date_format", date=a_date, locale=a_locale, optional={"style": one_of(*_STYLES)})
def date_format(response: str, source: str, date: str, locale: str, style: str | None = None) -> bool:
    """The day stands in the response as the locale writes it; `style` asks for one of CLDR's four lengths."""
    return _holds_one(response, _date_forms(date, _code(locale), style))


@translation_instruction("mt:number_format", number=a_number, locale=a_locale)
def number_format(response: str, source: str, number: float, locale: str) -> bool:
    """The number stands in the response with the locale's separators (or its digits)."""
    return _holds_one(response, _number_forms(number, _code(locale)))


@translation_instruction("mt:currency_format", amount=a_number, currency=a_currency, locale=a_locale)
def currency_format(response: str, source: str, amount: float, currency: str, locale: str) -> bool:
    """The amount stands in the response as the locale writes it: with symbol, code or name of the currency."""
    return _holds_one(response, _currency_forms(amount, currency, _code(locale)))


@lru_cache(maxsize=4096)
def _date_forms(date: str, locale: str, style: str | None) -> frozenset[str]:
    from babel import Locale
    from babel.dates import format_date, format_skeleton

    day = datetime.date.fromisoformat(date)
    if style:
        return frozenset({format_date(day, style, locale)})
    known = Locale.parse(locale).datetime_skeletons
    skeletons = {format_skeleton(name, day, locale=locale) for name in _SKELETONS if name in known}
    return frozenset({format_date(day, name, locale) for name in _STYLES} | skeletons)


@lru_cache(maxsize=4096)
def _number_forms(number: float, locale: str) -> frozenset[str]:
    from babel.numbers import format_decimal

    shown = partial(format_decimal, number, locale=locale, decimal_quantization=False)
    grouped = (True, False) if abs(number) < 10000 else (True,)
    return frozenset(
        shown(numbering_system=system, group_separator=group) for system in ("latn", "default") for group in grouped
    )


@lru_cache(maxsize=4096)
def _currency_forms(amount: float, currency: str, locale: str) -> frozenset[str]:
    from babel import Locale
    from babel.numbers import format_currency

    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    codes = pattern.replace("¤", "¤¤")
    whole = [False, True] if float(amount).is_integer() else [True]
    forms = set()
    for digits in whole:
        for system in ("latn", "default"):
            shown: dict[str, Any] = {"locale": locale, "numbering_system": system, "currency_digits": digits}
            forms.add(format_currency(amount, currency, **shown))
            forms.add(format_currency(amount, currency, codes, **shown))
            forms.add(format_currency(amount, currency, format_type="name", **shown))
    if float(amount).is_integer():
        forms |= {_without_zeros(form) for form in forms}
    return frozenset(forms)


def _without_zeros(form: str) -> str:
    """`5,00 €` -> `5 €`: amounts without cents are also written so."""
    return re.sub(r"[.,٫](?:00|٠٠)(?!\d)", "", form)


def _holds_one(response: str, forms: Iterable[str]) -> bool:
    text = _flat(response)
    return any(re.search(rf"(?<!\d)(?<!\d[.,]){re.escape(_flat(form))}(?![.,]?\d)", text) for form in forms)


def _flat(text: str) -> str:
    """One kind of space, no marks of direction."""
    return " ".join(normalised(text).split())


def _code(locale: str) -> str:
    return locale.replace("-", "_")
