"""Language codes: the language of a regional code, which codes count as one language, and their English names.

A language identifier cannot tell near-identical standards apart on a sentence (Bokmål and Nynorsk, Serbian and
Croatian), so `GROUPS` counts each such set as one language wherever codes are compared.
"""

from functools import cache, lru_cache

from dragoman.errors import DragomanError
from dragoman.text.tables import listed, read_table


class LanguageError(DragomanError, ValueError):
    """A code that is no language; also a ValueError, because reward functions say so of bad arguments."""


GROUPS = tuple(listed(codes) for codes in read_table(__file__))


def base_code(code: str) -> str:
    """`pt-BR`, `zh_Hant` -> `pt`, `zh`; Norwegian Bokmål is `no`, as in the identifier."""
    base = code.replace("_", "-").split("-")[0].lower()
    return {"nb": "no", "iw": "he", "fil": "tl", "cmn": "zh", "in": "id"}.get(base, base)


@lru_cache(maxsize=512)
def group_of(code: str) -> frozenset[str]:
    """The language's dialect group, itself included."""
    base = base_code(code)
    return next((group for group in GROUPS if base in group), frozenset({base}))


def same_language(first: str, second: str) -> bool:
    """Whether two codes count as one language: regions and scripts set aside, dialects of one group alike."""
    return group_of(first) == group_of(second)


@cache
def language_name(code: str) -> str:
    """English name of a language code (CLDR's), region included: `pt_BR` is `Portuguese (Brazil)`.

    Raises LanguageError for a code that CLDR does not know.
    """
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name("en")
    except (UnknownLocaleError, ValueError):
        raise LanguageError(f"unknown language code {code!r}: use ISO 639 codes such as de or pt_BR") from None
    return str(name)


@cache
def names_in(code: str, locale: str) -> tuple[str, ...]:
    """What a language is called in the words of a locale, the name to write first: `pt_BR` in English is
    `Brazilian Portuguese`, `Portuguese (Brazil)`, `Portuguese`; `zh_CN` is also `Simplified Chinese`. Empty where CLDR
    has no names in that locale."""
    from babel import Locale, UnknownLocaleError

    try:
        words = Locale.parse(locale.replace("-", "_"))
        meant = Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return ()
    plain = code.replace("-", "_").count("_") == 0
    script = None if plain else words.languages.get(f"{meant.language}_{meant.script}")
    whole = meant.get_display_name(words)
    found = (words.languages.get(str(meant)), script, whole, words.languages.get(meant.language))
    return tuple(dict.fromkeys(name for name in found if name))
