"""Which writing system a text uses, from the Unicode names of its letters (no table to keep)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

_KANA = frozenset({"HIRAGANA", "KATAKANA"})
_LANGUAGE_SCRIPTS: dict[str, frozenset[str]] = {
    **{code: frozenset({"CYRILLIC"}) for code in ["ru", "uk", "be", "bg", "mk", "kk", "ky", "mn", "tg", "tt", "ba"]},
    **{code: frozenset({"ARABIC"}) for code in ["ar", "arz", "ary", "fa", "ur", "ps", "ug", "sdh"]},
    **{code: frozenset({"DEVANAGARI"}) for code in ["hi", "mr", "ne", "sa", "gom"]},
    **{code: frozenset({"CJK", "BOPOMOFO"}) for code in ["zh", "yue", "wuu"]},
    "ja": _KANA | {"CJK"},
    "ko": frozenset({"HANGUL", "CJK"}),
    "el": frozenset({"GREEK"}),
    "he": frozenset({"HEBREW"}),
    "hy": frozenset({"ARMENIAN"}),
    "ka": frozenset({"GEORGIAN"}),
    "th": frozenset({"THAI"}),
    "lo": frozenset({"LAO"}),
    "km": frozenset({"KHMER"}),
    "my": frozenset({"MYANMAR"}),
    "si": frozenset({"SINHALA"}),
    "am": frozenset({"ETHIOPIC"}),
    "bn": frozenset({"BENGALI"}),
    "as": frozenset({"BENGALI"}),
    "gu": frozenset({"GUJARATI"}),
    "pa": frozenset({"GURMUKHI"}),
    "or": frozenset({"ORIYA"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "kn": frozenset({"KANNADA"}),
    "ml": frozenset({"MALAYALAM"}),
    "sr": frozenset({"CYRILLIC", "LATIN"}),
    "az": frozenset({"LATIN", "CYRILLIC"}),
    "uz": frozenset({"LATIN", "CYRILLIC"}),
    "ku": frozenset({"LATIN", "ARABIC"}),
}
_WEIGHTS = {"CJK": 3, "HIRAGANA": 3, "KATAKANA": 3, "BOPOMOFO": 3, "HANGUL": 2}
_LATIN = frozenset({"LATIN"})
_SPACELESS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "BOPOMOFO"})


def scripts_of_language(code: str) -> frozenset[str]:
    """Scripts in which a language (its code without region) is written; Latin when it is not listed."""
    return _LANGUAGE_SCRIPTS.get(code, _LATIN)


@lru_cache(maxsize=65536)
def script_of(character: str) -> str:
    """`LATIN`, `CYRILLIC`, `CJK`, ... for a letter; an empty text for anything else."""
    if not character.isalpha():
        return ""
    words = unicodedata.name(character, "").replace("-", " ").split()
    if words and words[0] in ("FULLWIDTH", "HALFWIDTH", "MODIFIER") and len(words) > 1:
        words = words[1:]
    return words[0] if words else ""


def script_counts(text: str) -> Counter[str]:
    """How many letters of each script the text has."""
    return Counter(script for script in map(script_of, text) if script)


def share_in_scripts(text: str, scripts: frozenset[str]) -> float:
    """Share of the letters that belong to one of the scripts; 0.0 without letters."""
    counts = script_counts(text)
    total = sum(counts.values())
    return sum(counts[s] for s in scripts) / total if total else 0.0


def weighted_share(text: str, scripts: frozenset[str]) -> float:
    """The same with each letter by what it writes: a Han character or kana three, a Korean syllable two."""
    counts = script_counts(text)
    weights = {script: count * _WEIGHTS.get(script, 1) for script, count in counts.items()}
    total = sum(weights.values())
    return sum(weights.get(script, 0) for script in scripts) / total if total else 0.0


def is_spaceless(text: str) -> bool:
    """Whether most letters belong to scripts that write without spaces between words."""
    return share_in_scripts(text, _SPACELESS) > 0.5
