"""Numbers as a locale writes them, as plain ones: `1.234,5` in German, `12,34,567` in Hindi, `1 234,5` in French.

Without a locale a comma before exactly three digits groups; a row that says in which language its answer is written
(`"locale": "de"`) is read by that language's rules (Unicode CLDR through Babel), and `1.234` is then 1234.
"""

import re
from functools import lru_cache

from dragoman.text.numerals import normalise_digits

_SPACES = "\u00a0\u202f\u2009 "


def check_locale(locale: str) -> None:
    """ValueError when CLDR does not know the locale."""
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"locale {locale!r}: {error}; use a code such as 'de', 'pt_BR' or 'hi'") from error


def to_plain(text: str, locale: str) -> str:
    """The text with every number of the locale's form written as `1234.5`; digits of every script are ASCII then."""
    pattern, group, decimal = _form(locale)

    def plain(match: re.Match[str]) -> str:
        number = match.group(0)
        for mark in group:
            number = number.replace(mark, "")
        return number.replace(decimal, ".")

    return pattern.sub(plain, normalise_digits(text))


@lru_cache(maxsize=64)
def _form(locale: str) -> tuple[re.Pattern[str], str, str]:
    """Pattern of a grouped or broken number, the marks that group, the mark before decimals."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    name = locale.replace("-", "_")
    decimal, group = (normalise_digits(symbol(name)) for symbol in (get_decimal_symbol, get_group_symbol))
    marks = _SPACES if group.isspace() or group in _SPACES else "'’" if group in "'’" else group
    grouped = rf"\d{{1,3}}(?:([{re.escape(marks)}])\d{{2,3}})(?:\1\d{{2,3}})*(?<=\d{{3}})"
    tight = re.escape("".join(mark for mark in decimal + marks if not mark.isspace()))
    loose = f"[{re.escape(marks)}]"
    before, after = rf"(?<![\w{tight}])", rf"(?!\w|[{tight}]\d|{loose}\d{{3}}(?!\d))"
    pattern = rf"{before}(?:{grouped}|\d+)(?:{re.escape(decimal)}(?:\d+|(?=\(\d|\\overline)))?{after}"
    return re.compile(pattern), marks, decimal
