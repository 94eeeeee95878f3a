"""The table of verifiable translation instructions: id, check, kwargs, and whether it needs the source text.

A check is a small pure function `(response, source, **kwargs) -> bool | None`; None means that the text gives no
evidence either way (not applicable). `source` is empty when the row has none and the check can do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rewards.constraints.registry import Validator, given_kwargs, validate_kwargs
from rewards.errors import nearest

Check = Callable[..., bool | None]


@dataclass(frozen=True)
class TranslationInstruction:
    """An instruction about a translation, under its id `mt:…`."""

    id: str
    check: Check
    kwargs: Mapping[str, Validator]
    optional: Mapping[str, Validator]
    needs_source: bool


TRANSLATION_INSTRUCTIONS: dict[str, TranslationInstruction] = {}


def translation_instruction(
    id: str,
    *,
    needs_source: bool = False,
    optional: Mapping[str, Validator] | None = None,
    **kwargs: Validator,
) -> Callable[[Check], Check]:
    """Register a check with a validator for each of its kwargs."""

    def add(check: Check) -> Check:
        TRANSLATION_INSTRUCTIONS[id] = TranslationInstruction(id, check, kwargs, optional or {}, needs_source)
        return check

    return add


def find_translation_instruction(id: str) -> TranslationInstruction:
    """The instruction of an id; ValueError with the nearest known id."""
    if id not in TRANSLATION_INSTRUCTIONS:
        raise ValueError(f"unknown instruction id {id!r}{nearest(id, TRANSLATION_INSTRUCTIONS)}")
    return TRANSLATION_INSTRUCTIONS[id]


def check_translation_kwargs(id: str, kwargs: Mapping[str, Any] | None, has_source: bool) -> None:
    """ValueError naming the instruction, the kwarg and what it must be."""
    found = find_translation_instruction(id)
    validate_kwargs(id, found.kwargs, found.optional, given_kwargs(kwargs))
    if found.needs_source and not has_source:
        raise ValueError(f"{id} compares with the source text: give it as argument or column 'source'")


def a_truth(value: Any) -> str:
    """true or false."""
    return "" if isinstance(value, bool) else "it must be true or false"


def one_of(*choices: str) -> Validator:
    """A validator that accepts these values."""
    return lambda value: "" if value in choices else f"it must be one of {', '.join(choices)}"


def a_number(value: Any) -> str:
    """A number, whole or not."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "" if good else "it must be a number"


def a_locale(value: Any) -> str:
    """A locale that CLDR knows."""
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(str(value).replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return "it must be a locale that CLDR knows, such as de or pt_BR"
    return ""


def word_pattern(text: str, endings: int = 0) -> str:
    """A pattern for a term as a whole word, with up to `endings` letters after it.

    Where the neighbouring letter would be of a script without spaces there is no boundary to ask for; after
    Hangul none is asked for either, because particles are written onto the word.
    """
    spaceless = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    escaped = r"\s+".join(map(re.escape, text.split()))
    before = "" if re.match(rf"[{spaceless}\W]", text) else rf"(?<![^\W{spaceless}])"
    after = "" if re.search(rf"[{spaceless}\uac00-\ud7af\W]\Z", text) else rf"(?![^\W{spaceless}])"
    ending = rf"[^\W\d_]{{0,{endings}}}" if endings and after else ""
    return f"{before}{escaped}{ending}{after}"
