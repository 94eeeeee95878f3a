"""Numbers as locales and scripts write them."""

from __future__ import annotations

from random import Random

import pytest
from babel.numbers import format_decimal

from dragoman.text.locales import check_locale, to_plain
from dragoman.text.numerals import numbers_in, same_numbers

LOCALES = (
    "en de fr es it pt pt_BR nl pl ru uk cs sv da fi nb tr el ar fa hi bn ta th zh ja ko vi he hu ro bg de_CH en_IN"
)


@pytest.mark.parametrize("locale", LOCALES.split())
def test_numbers_as_cldr_writes_them_are_read_back(locale: str) -> None:
    random = Random(locale)
    for _ in range(200):
        number = random.choice([random.randint(0, 10 ** random.randint(1, 9)), round(random.random() * 1e5, 3)])
        written = format_decimal(number, locale=locale, decimal_quantization=False)
        assert float(to_plain(f"x {written} y", locale).split()[1]) == number, written


@pytest.mark.parametrize(
    ("text", "locale", "plain"),
    [
        ("1.234 und 0,5", "de", "1234 und 0.5"),
        ("1.234 and 1,234", "en", "1.234 and 1234"),
        ("0,5 2,5", "fr", "0.5 2.5"),
        ("12,34,567", "hi", "1234567"),
        ("am 3.4.2026", "de", "am 3.4.2026"),  # a date is no number
    ],
)
def test_numbers_by_locale_by_hand(text: str, locale: str, plain: str) -> None:
    assert to_plain(text, locale) == plain


def test_a_locale_that_cldr_does_not_know_is_refused() -> None:
    check_locale("pt-BR")
    with pytest.raises(ValueError, match="locale 'german'"):
        check_locale("german")


def test_the_values_that_a_number_may_have() -> None:
    assert [sorted(map(float, values)) for values in (n.values for n in numbers_in("1,234 and 0,5; 3.4.5 ２"))] == [
        [1.234, 1234.0], [0.5], [3.0], [4.0], [5.0], [2.0],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "response", "same"),
    [
        ("1,000.50 euros", "1.000,50 Euro", True),
        ("3万人", "30,000 people", True),
        ("two", "2", None),
        ("5 and 5", "5", False),
        ("5", "5 und 6", False),
    ],
)
def test_the_numbers_of_a_translation(source: str, response: str, same: bool | None) -> None:
    assert same_numbers(source, response, allow_more=False) is same
    assert same_numbers("5", "5 und 6", allow_more=True) is True
