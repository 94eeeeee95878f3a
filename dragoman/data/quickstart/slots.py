"""What fills the slots of a sentence: one abstract value, rendered in any language.

A slot kind knows how to draw an abstract value ("2024-03-05", "12.50 EUR", "DE") and how to write it in a
language. Rendering is CLDR's (Babel) for dates, months, weekdays, amounts, units, countries and languages,
and num2words' for spelled-out numbers. Abstract values are strings, so that a combination of them can be
hashed, compared and held out independently of the language it appears in.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, get_currency_name
from babel.units import format_unit
from num2words import num2words

from dragoman.text.tables import read_table

_TABLE: dict[str, list[str]] = read_table(__file__)
FIRST_NAMES, COUNTRIES, SPOKEN, CURRENCIES = (
    tuple(_TABLE[name]) for name in ("first_names", "countries", "languages", "currencies")
)
YEARS = range(2018, 2030)


@dataclass(frozen=True)
class SlotKind:
    """How one kind of slot is drawn and written."""

    draw: Callable[[Random], str]
    """Random source -> abstract value."""
    render: Callable[[str, str], str]
    """Abstract value, language code -> text."""


def _choice(values: tuple[str, ...]) -> Callable[[Random], str]:
    return lambda random: random.choice(values)


def spell(number: int, language: str) -> str:
    """`number` in words, for instance 21 -> "twenty-one"."""
    return str(num2words(number, lang=language))


def _needs_no_agreement(number: int) -> bool:
    """Numbers ending in one change form before a noun in Spanish and German; 80 takes an -s in French."""
    return number % 10 != 1 and number != 80


def _plain_spaces(text: str) -> str:
    """CLDR separates with no-break spaces in some locales; the quickstart uses plain ones throughout."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def _draw_date(random: Random) -> str:
    return f"{random.choice(YEARS)}-{random.randint(1, 12):02}-{random.randint(2, 28):02}"


def _render_date(value: str, language: str) -> str:
    return _plain_spaces(format_date(datetime.date.fromisoformat(value), "long", locale=language))


def _draw_amount(random: Random) -> str:
    """Whole amounts, and in currencies that have cents some with fifty of them."""
    currency = random.choice(CURRENCIES)
    cents = "" if currency == "JPY" else random.choice(("", "", ".50"))
    return f"{random.randint(2, 99)}{cents} {currency}"


def _render_amount(value: str, language: str) -> str:
    number, currency = value.split()
    pattern = "0.00" if "." in number else "0"
    written = format_decimal(float(number), format=pattern, locale=language)
    return _plain_spaces(f"{written} {get_currency_name(currency, count=12, locale=language)}")


def _measure(units: tuple[str, ...]) -> Callable[[Random], str]:
    return lambda random: f"{random.randint(2, 60)} {random.choice(units)}"


def _render_measure(value: str, language: str) -> str:
    number, unit = value.split()
    return _plain_spaces(format_unit(int(number), unit, locale=language))


def _draw_duration(random: Random) -> str:
    number = random.choice([n for n in range(2, 60) if _needs_no_agreement(n)])
    return f"{number} {random.choice(('hour', 'day', 'week', 'month'))}"


def _render_duration(value: str, language: str) -> str:
    """A spelled-out number before CLDR's plural noun: "three weeks"."""
    number, unit = value.split()
    noun = _plain_spaces(format_unit(int(number), f"duration-{unit}", locale=language)).split(" ", 1)[1]
    return f"{spell(int(number), language)} {noun}"


def _render_number(value: str, language: str) -> str:
    return spell(int(value), language)


def _cldr(table: Callable[[Locale], Mapping[str, str]]) -> Callable[[str, str], str]:
    return lambda value, language: str(table(Locale(language))[value])


SLOT_KINDS: dict[str, SlotKind] = {
    "name": SlotKind(_choice(FIRST_NAMES), lambda value, _: value),
    "country": SlotKind(_choice(COUNTRIES), _cldr(lambda locale: locale.territories)),
    "language": SlotKind(_choice(SPOKEN), _cldr(lambda locale: locale.languages)),
    "month": SlotKind(
        _choice(tuple(map(str, range(1, 13)))),
        lambda value, language: str(Locale(language).months["format"]["wide"][int(value)]),
    ),
    "weekday": SlotKind(
        _choice(tuple(map(str, range(7)))),
        lambda value, language: str(Locale(language).days["format"]["wide"][int(value)]),
    ),
    "date": SlotKind(_draw_date, _render_date),
    "amount": SlotKind(_draw_amount, _render_amount),
    "number": SlotKind(lambda random: str(random.randint(2, 79)), _render_number),
    "count": SlotKind(_choice(tuple(str(n) for n in range(2, 60) if _needs_no_agreement(n))), _render_number),
    "duration": SlotKind(_draw_duration, _render_duration),
    "distance": SlotKind(_measure(("length-kilometer", "length-meter", "length-mile")), _render_measure),
    "weight": SlotKind(_measure(("mass-kilogram", "mass-gram")), _render_measure),
}


def slot_kind(slot: str) -> SlotKind:
    """The kind of a slot name; "count_2" is a second slot of kind "count"."""
    return SLOT_KINDS[slot.removesuffix("_2")]


@lru_cache(maxsize=100_000)
def render_slot(slot: str, value: str, language: str) -> str:
    """The text of an abstract value in a language."""
    return slot_kind(slot).render(value, language)
