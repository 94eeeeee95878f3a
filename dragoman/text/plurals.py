"""Which plural categories a locale asks of a message (Unicode CLDR, through Babel).

A category counts as asked for when a whole number up to `MOST` falls into it: Czech `many` is for fractions and French
`many` for millions, and translators rightly leave them to `other`.
"""

from collections.abc import Iterable
from functools import lru_cache

CATEGORIES = frozenset({"zero", "one", "two", "few", "many", "other"})
MOST = 200


def plural_gap(selectors: Iterable[str], locale: str, *, ordinal: bool = False, offset: int = 0) -> str | None:
    """What is wrong with the branches of a plural for a locale, or None; also None for a locale unknown to CLDR.

    A number needs its own branch (`=1`) or its category's; a category that the locale does not have is never shown.
    """
    given = set(selectors)
    rules = _rules(locale, ordinal)
    if rules is None:
        return None
    known, of_number = rules
    strange = next((s for s in sorted(given) if s in CATEGORIES and s not in known), None)
    if strange:
        return f"{locale} has no plural category {strange!r}"
    for number in range(offset, MOST):
        category = of_number[number - offset]
        if category not in given and f"={number}" not in given:
            return f"{locale} asks for the plural category {category!r}"
    return None


def is_one_number(selector: str, locale: str | None) -> bool:
    """Whether a branch is shown for one number (0 and 1 count as one), which may then stand there as a word.

    Russian `one` is no such branch: it is shown for 21, too. Without a locale `zero`, `one` and `two` are.
    """
    if selector.startswith("="):
        return True
    rules = _rules(locale, False) if locale else None
    if rules is None:
        return selector in ("zero", "one", "two")
    numbers = [number for number, category in enumerate(rules[1]) if category == selector]
    return selector != "other" and (len(numbers) <= 1 or numbers == [0, 1])


@lru_cache(maxsize=256)
def _rules(locale: str, ordinal: bool) -> tuple[frozenset[str], tuple[str, ...]] | None:
    """The locale's categories, and that of each whole number below `MOST`."""
    from babel import Locale, UnknownLocaleError

    try:
        found = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return None
    rule = found.ordinal_form if ordinal else found.plural_form
    return frozenset({*rule.tags, "other"}), tuple(rule(number) for number in range(MOST))
