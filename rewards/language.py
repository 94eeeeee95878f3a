"""Which language a text is in, and whether a translation is in the language it should be in.

Used by the `direction` gate here and by the off-target ratio of the evaluation. Script comes first (cheap
and sure), then py3langid (Naive Bayes over byte n-grams, Lui & Baldwin 2012). On short strings its top guess
is often wrong with low confidence, so the question asked is not "what is the top language" but "is another
language clearly likelier than the target": see `is_on_target`. Dialects and near-identical standards count
as one language (`GROUPS`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rewards.scripts import is_spaceless, script_counts, scripts_of_language, share_in_scripts

GROUPS: tuple[frozenset[str], ...] = (
    frozenset({"no", "nb", "nn"}),
    frozenset({"sr", "hr", "bs", "sh", "cnr", "me"}),
    frozenset({"zh", "yue", "wuu", "cmn"}),
    frozenset({"id", "ms"}),
    frozenset({"ar", "arz", "ary", "arb", "apc"}),
    frozenset({"uz", "uzs"}),
    frozenset({"ku", "sdh", "ckb", "kmr"}),
    frozenset({"fa", "prs"}),
    frozenset({"tl", "fil"}),
    frozenset({"he", "iw"}),
)
SCRIPT_SHARE = 0.5
"""Fewer letters than this share in the target's scripts: off target, whatever else."""
CERTAIN = 0.9
"""A rival language with this posterior is believed."""
LONG_WORDS = 5
"""From this many words on, identification over all languages is reliable."""


@dataclass(frozen=True)
class Identified:
    """The likeliest language and its posterior; `und` when the text has no letters."""

    language: str
    confidence: float


@dataclass(frozen=True)
class OnTarget:
    """`on_target` is None when the text has no letters to judge by."""

    on_target: bool | None
    detected: str
    confidence: float
    reason: str


def base_code(code: str) -> str:
    """`pt-BR`, `zh_Hant` -> `pt`, `zh`; Norwegian Bokmål is `no`, as in the identifier."""
    base = code.replace("_", "-").split("-")[0].lower()
    return {"nb": "no", "iw": "he", "fil": "tl", "cmn": "zh", "in": "id"}.get(base, base)


@lru_cache(maxsize=512)
def group_of(code: str) -> frozenset[str]:
    """The language's dialect group, itself included."""
    base = base_code(code)
    return next((group for group in GROUPS if base in group), frozenset({base}))


def known_languages() -> frozenset[str]:
    """Codes that the identifier can tell apart."""
    return frozenset(_identifier().labels)


def load_identifier() -> None:
    """Read the identifier's model now (half a second) instead of at the first question."""
    _identifier()


def identify(text: str, candidates: Iterable[str] | None = None) -> Identified:
    """The likeliest language of a text, among `candidates` when given (their posteriors then sum to 1)."""
    if not script_counts(text):
        return Identified("und", 0.0)
    codes = None if candidates is None else tuple(sorted({base_code(code) for code in candidates}))
    language, confidence = _posteriors(text, codes)[0]
    return Identified(language, confidence)


def is_on_target(
    text: str, target: str, source: str | None = None, candidates: Sequence[str] | None = None
) -> OnTarget:
    """Whether a translation into `target` is in `target`.

    1. Too few letters in the target's scripts: off target. 2. From five words on, the top language (among
    `candidates` if given, else all) must be of the target's group, or not be certain. 3. A shorter text is
    off target only when the source language or English, with which off-target output nearly always comes, is
    certain against the target.
    """
    letters = script_counts(text)
    if not letters:
        return OnTarget(None, "und", 0.0, "no letters to judge by")
    goal = base_code(target)
    share = share_in_scripts(text, scripts_of_language(goal))
    found = identify(text, candidates)
    if share < SCRIPT_SHARE:
        return OnTarget(
            False, found.language, found.confidence, f"{share:.0%} of the letters in the target's script"
        )
    if goal == "ja" and sum(letters.values()) >= 12 and not letters["HIRAGANA"] + letters["KATAKANA"]:
        return OnTarget(False, "zh", found.confidence, "Han characters without kana")
    if found.language in group_of(goal):
        return OnTarget(True, found.language, found.confidence, "identified")
    if goal not in known_languages():
        return OnTarget(None, found.language, found.confidence, f"the identifier does not know {goal!r}")
    if _is_long(text) and found.confidence >= CERTAIN:
        return OnTarget(False, found.language, found.confidence, "identified as another language")
    return _against_rivals(text, goal, source)


def _against_rivals(text: str, goal: str, source: str | None) -> OnTarget:
    rivals = {base_code(source) if source else "en", "en"} - group_of(goal)
    rivals &= known_languages()
    ranked = _posteriors(text, tuple(sorted(rivals | {goal})))
    best, confidence = ranked[0]
    if best != goal and confidence >= CERTAIN:
        return OnTarget(False, best, confidence, f"clearly {best} rather than {goal}")
    if best != goal and _is_long(text) and confidence >= 0.5:
        return OnTarget(False, best, confidence, f"likelier {best} than {goal}")
    return OnTarget(True, goal, dict(ranked)[goal], "no rival is certain")


def _is_long(text: str) -> bool:
    if is_spaceless(text):
        return len(text) >= 3 * LONG_WORDS
    return len(text.split()) >= LONG_WORDS


def _posteriors(text: str, candidates: tuple[str, ...] | None) -> list[tuple[str, float]]:
    ranked: list[tuple[str, float]] = _rank(" ".join(text.split()).lower() if text.isupper() else text)
    if candidates is None:
        return ranked
    chosen = [(code, value) for code, value in ranked if code in candidates]
    if not chosen:
        raise ValueError(f"none of {', '.join(candidates)} is a language the identifier knows")
    total = math.fsum(value for _, value in chosen) or 1.0
    return [(code, value / total) for code, value in chosen]


_LOCK = threading.Lock()


def _rank(text: str) -> list[tuple[str, float]]:
    ranked = _identifier().rank(text)
    return [(str(code), float(value)) for code, value in ranked if code != "zxx"]


@lru_cache(maxsize=1)
def _load() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _identifier() -> Any:
    with _LOCK:
        return _load()
