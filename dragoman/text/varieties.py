"""Scripts and regions of a language: whether a text is in the variety that `zh-Hant`, `zh-TW`, `sr-Latn` or `pt-BR`
asks for.

| asked | judged by |
|---|---|
| a script (`sr-Latn`, `uz-Cyrl`, …) | the letters' script |
| Chinese: `Hans`, `Hant`, or a region that writes one of them | characters that OpenCC converts one way or the other |
| `zh-TW` against `zh-HK` and `zh-MO` | words and characters of varieties.yaml |
| `pt-BR` against `pt-PT` (and Africa) | words, spellings and grammar of varieties.yaml |

A text need not show its variety: then the verdict is None, and the gate lets it pass. The confidence is the logistic
function of the evidence, each sign counting as much as its table says. bench/varieties.py measures on catalogs of
which nothing here was taken. OpenCC: github.com/BYVoid/OpenCC, Apache-2.0.
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from dragoman.text.languages import base_code
from dragoman.text.normalisation import normalised
from dragoman.text.scripts import is_spaceless
from dragoman.text.tables import read_table

SCRIPTS = {
    "latn": "LATIN", "cyrl": "CYRILLIC", "arab": "ARABIC", "deva": "DEVANAGARI", "grek": "GREEK", "hebr": "HEBREW",
    "armn": "ARMENIAN", "geor": "GEORGIAN", "guru": "GURMUKHI", "beng": "BENGALI", "thai": "THAI", "mong": "MONGOLIAN",
    "tfng": "TIFINAGH", "ethi": "ETHIOPIC", "hang": "HANGUL",
}  # fmt: skip
"""ISO 15924 -> the first word of its letters' Unicode names"""
_HAN = {"hans": "zh-Hans", "cn": "zh-Hans", "sg": "zh-Hans", "my": "zh-Hans",
        "hant": "zh-Hant", "tw": "zh-Hant", "hk": "zh-Hant", "mo": "zh-Hant"}  # fmt: skip
_REGIONS = {"tw": "zh-TW", "hk": "zh-HK", "mo": "zh-HK"}
_PORTUGUESE = {"br": "pt-BR"} | dict.fromkeys(("pt", "ao", "mz", "cv", "gw", "st", "tl"), "pt-PT")
_SIGN = 2.0
"""What one Chinese character counts, in log odds"""
_SURE, _LIKELY = 3.0, 1.0
_LEAST = 2.0
"""Less evidence than this shows no variety"""


@dataclass(frozen=True)
class Variety:
    """What was found about the variety that was asked for."""

    holds: bool | None
    """None when the text does not show it"""
    found: str
    confidence: float
    reason: str


def script_of_code(code: str) -> str | None:
    """The script that a code names, `LATIN` for `sr-Latn`; None where it names none."""
    return next((SCRIPTS[part] for part in _subtags(code) if part in SCRIPTS), None)


def variety_of(text: str, target: str) -> Variety | None:
    """Whether a text in the target's language is in its variety; None where the code asks for none known here."""
    subtags = _subtags(target)
    if base_code(target) == "pt" and (asked := _asked(subtags, _PORTUGUESE)):
        return _judged(asked, {"pt-BR": _evidence(text, "br"), "pt-PT": _evidence(text, "pt")})
    if base_code(target) != "zh" or not (asked := _asked(subtags, _HAN)):
        return None
    written = _judged(asked, _chinese(text))
    region = _asked(subtags, _REGIONS)
    if region is None or written.holds is False:
        return written
    regional = _judged(region, {"zh-TW": _evidence(text, "tw"), "zh-HK": _evidence(text, "hk")})
    return written if regional.holds is None else regional


def _subtags(code: str) -> list[str]:
    return code.replace("_", "-").lower().split("-")[1:]


def _asked(subtags: list[str], varieties: dict[str, str]) -> str | None:
    return next((varieties[part] for part in subtags if part in varieties), None)


def _judged(asked: str, evidence: dict[str, float]) -> Variety:
    """The variety with more evidence, when that is enough to tell."""
    best = max(evidence, key=lambda name: (evidence[name], name == asked))
    lead = 2 * evidence[best] - sum(evidence.values())
    confidence = 1 / (1 + math.exp(-lead))
    if lead < _LEAST:
        return Variety(None, asked, confidence, f"nothing shows whether it is {' or '.join(evidence)}")
    return Variety(best == asked, best, confidence, f"{best} rather than {' or '.join(evidence.keys() - {best})}")


def _chinese(text: str) -> dict[str, float]:
    """Characters that only one of the two has, by what a conversion to the other changes."""
    changed = {"zh-Hans": _convert("s2t", text), "zh-Hant": _convert("t2s", text)}
    return {name: _SIGN * sum(a != b for a, b in zip(text, other, strict=False)) for name, other in changed.items()}


@cache
def _converter(name: str) -> Any:
    from opencc import OpenCC

    return OpenCC(name)


def _convert(name: str, text: str) -> str:
    return str(_converter(name).convert("".join(c if c.isprintable() else " " for c in text)))


def _evidence(text: str, side: str) -> float:
    """Signs of one side of a table, each by how sure it is."""
    plain = normalised(text)
    return sum(weight * sum(1 for _ in pattern.finditer(plain)) for pattern, weight in _signs(side))


@cache
def _signs(side: str) -> tuple[tuple[re.Pattern[str], float], ...]:
    table = read_table(__file__)[side]
    return tuple(
        (_pattern(table[name]), weight) for name, weight in (("sure", _SURE), ("likely", _LIKELY)) if name in table
    )


def _pattern(text: str) -> re.Pattern[str]:
    """The entries of a table, as whole words where the script has words."""
    found = [
        entry[1:-1] if entry[0] == "/" else r"\w*".join(map(re.escape, entry.split("*"))).replace("_", r"\s+")
        for entry in re.findall(r"/[^/]+/|\S+", text)
    ]
    before, after = ("", "") if is_spaceless(found[0]) else (r"(?<![\w-])", r"(?!\w)")
    return re.compile(rf"{before}(?:{'|'.join(sorted(found, key=len, reverse=True))}){after}", re.IGNORECASE)
