"""Which writing system a text uses, by the Unicode names of its letters; scripts.yaml has the scripts of languages."""

import unicodedata
from collections import Counter
from functools import lru_cache

from dragoman.text.tables import listed, read_table

_LANGUAGE_SCRIPTS: dict[str, frozenset[str]] = {
    code: listed(scripts) for scripts, codes in read_table(__file__).items() for code in codes.split()
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
    """How many letters of each script the text has; not to be changed: short texts, which many ask for again and again,
    share one."""
    return _remembered(text) if len(text) <= _SHORT else _counted(text)


def _counted(text: str) -> Counter[str]:
    return Counter(script for script in map(script_of, text) if script)


_SHORT = 2_000
_remembered = lru_cache(maxsize=4_096)(_counted)


def share_in_scripts(text: str, scripts: frozenset[str]) -> float:
    """Share of the letters that belong to one of the scripts; 0.0 without letters."""
    counts = script_counts(text)
    total = sum(counts.values())
    return sum(counts[s] for s in scripts) / total if total else 0.0


def weighted_letters(text: str) -> int:
    """Letters by what they write: a Han character or kana counts as three, a Korean syllable as two."""
    return sum(count * _WEIGHTS.get(script, 1) for script, count in script_counts(text).items())


def weighted_length(text: str) -> int:
    """Characters, each letter by what it writes."""
    return len(text) + weighted_letters(text) - sum(script_counts(text).values())


def weighted_share(text: str, scripts: frozenset[str]) -> float:
    """The same with each letter by what it writes: a Han character or kana three, a Korean syllable two."""
    counts = script_counts(text)
    weights = {script: count * _WEIGHTS.get(script, 1) for script, count in counts.items()}
    total = sum(weights.values())
    return sum(weights.get(script, 0) for script in scripts) / total if total else 0.0


def is_spaceless(text: str) -> bool:
    """Whether most letters belong to scripts that write without spaces between words."""
    return share_in_scripts(text, _SPACELESS) > 0.5
