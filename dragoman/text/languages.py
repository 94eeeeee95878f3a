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
def canonical_code(code: str) -> str:
    """A code in BCP 47's letter case, joined as in CLDR: `DE` is `de`, `en-us` `en_US`, `ZH-hant-tw` `zh_Hant_TW`."""
    language, *rest = code.replace("-", "_").split("_")
    return "_".join([language.lower(), *map(_cased, rest)])


def _cased(subtag: str) -> str:
    """RFC 5646, section 2.1.1: a script is `Hant`, a region `TW`; all others are small."""
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 and subtag.isalpha() else subtag.lower()


def parse_direction(text: str) -> tuple[str, str]:
    """`de-fr`, `pt_BR-es` -> source and target, canonical. LanguageError unless there is one way to read it."""
    parts = text.split("-")
    found = [("-".join(parts[:k]), "-".join(parts[k:])) for k in range(1, len(parts))]
    readable = [pair for pair in found if all(map(is_language, pair))]
    if len(readable) != 1:
        raise LanguageError(f"{text!r} is no direction: join two language codes with -, such as de-fr or pt_BR-es")
    source, target = readable[0]
    return canonical_code(source), canonical_code(target)


def is_language(code: str) -> bool:
    """Whether CLDR knows a code."""
    try:
        language_name(code)
    except LanguageError:
        return False
    return True


def covers(wanted: tuple[str, str], direction: tuple[str, str]) -> bool:
    """Whether a direction is the wanted one: a code without region or script stands for all of its language's."""
    return all(w in (canonical_code(d), base_code(d)) for w, d in zip(wanted, direction, strict=True))


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
