"""Which language a text is in, and whether a translation is in the language it should be in.

Used by the reward `direction` and by the off-target ratio of the evaluation. Script comes first (cheap
and sure), then py3langid (Naive Bayes over byte n-grams, Lui & Baldwin 2012). On short strings its top guess
is often wrong with low confidence, so the question asked is not "what is the top language" but "is another
language clearly likelier than the target": see `is_on_target`. Dialects and near-identical standards count
as one language (`dragoman.text.languages.GROUPS`).

An answer without letters (digits, a dash) shows no language. It is off target when the source has letters, because
something was left untranslated or unsaid; where the source has none either there is nothing to judge.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from dragoman.text.languages import base_code, group_of
from dragoman.text.scripts import is_spaceless, script_counts, scripts_of_language, weighted_share
from dragoman.text.varieties import script_of_code, variety_of

SCRIPT_SHARE = 0.5
"""Less than this share of the text in the target's scripts: off target, whatever else."""
LOG_ODDS = 1.0
LOG_ODDS_FEW_WORDS = 1.5
LOG_ODDS_SHORT = 2.0
LOG_ODDS_SHORT_UNLIKELY = 3.0
FEW_WORDS = 5
SHORT_WORDS = 3
"""How much likelier another language must be: from five words on, with three or four, with one or two (and then
more for a language that is neither the source nor English). Chosen on the catalogs of Horizon and Django, see
bench/direction.py, which measures on other texts.
"""
_TINY = 1e-12


@dataclass(frozen=True)
class OnTarget:
    """What was found about a translation."""

    on_target: bool | None
    """None when there is nothing to judge: no letters in source and answer, or a target the identifier does not know"""
    detected: str
    """The likeliest language; `und` without letters"""
    confidence: float
    reason: str


def known_languages() -> frozenset[str]:
    """Codes that the identifier can tell apart."""
    return frozenset(_identifier().labels)


def load_identifier() -> None:
    """Read the identifier's model now (half a second) instead of at the first question."""
    _identifier()


def is_on_target(
    text: str,
    target: str,
    source: str | None = None,
    candidates: Sequence[str] | None = None,
    *,
    source_text: str | None = None,
) -> OnTarget:
    """Whether a translation into `target` is in `target`; `source` is the code of the language of `source_text`.

    1. No letters: off target, unless `source_text` has none either; then None. An empty answer is off target.
    2. Too few letters in the target's scripts: off target.
    3. Otherwise off target when another language is likelier than the target by more than a threshold in log
       odds, which is higher for shorter texts: `LOG_ODDS` and its neighbours. Off-target output nearly always
       comes in the source language or English, so with one or two words other rivals need to be surer.
    4. Off target when the text shows another script or region than the target's (`zh-Hant`, `sr-Latn`, `pt-BR`): see
       dragoman/text/varieties.py.
    """
    letters = script_counts(text)
    if not letters:
        return without_letters(text, source_text)
    goal = base_code(target)
    named = script_of_code(target)
    share = weighted_share(text, frozenset({named}) if named else scripts_of_language(goal))
    ranked = posteriors(text, None if candidates is None else tuple(sorted({*map(base_code, candidates), goal})))
    best, confidence = ranked[0]
    if share < SCRIPT_SHARE:
        return OnTarget(False, best, confidence, f"{share:.0%} of the letters in the target's script")
    if goal == "ja" and sum(letters.values()) >= 12 and not letters["HIRAGANA"] + letters["KATAKANA"]:
        return OnTarget(False, "zh", confidence, "Han characters without kana")
    if goal not in known_languages():
        return OnTarget(None, best, confidence, f"the identifier does not know {goal!r}")
    likely = frozenset({"en", base_code(source) if source else "en"}) - group_of(goal)
    return _in_variety(_by_log_odds(ranked, group_of(goal), likely, text), text, target)


def _in_variety(found: OnTarget, text: str, target: str) -> OnTarget:
    """The verdict with what the text shows of the target's script or region."""
    variety = variety_of(text, target) if found.on_target else None
    if variety is None:
        return found
    if variety.holds is None:
        return replace(found, reason=f"{found.reason}; {variety.reason} ({variety.confidence:.2f})")
    return OnTarget(variety.holds, variety.found, variety.confidence, variety.reason)


def without_letters(text: str, source_text: str | None) -> OnTarget:
    """The verdict on an answer that has no letters, whichever identifier is asked."""
    if not text.strip():
        return OnTarget(False, "und", 0.0, "empty")
    if source_text is not None and not script_counts(source_text):
        return OnTarget(None, "und", 0.0, "neither the source nor the answer has letters")
    return OnTarget(False, "und", 0.0, "no letters")


def _by_log_odds(ranked: list[tuple[str, float]], group: frozenset[str], likely: frozenset[str], text: str) -> OnTarget:
    usual, unlikely = _thresholds(text)
    inside = max((value for code, value in ranked if code in group), default=0.0)
    rivals = [(code, value) for code, value in ranked if code not in group]
    best, confidence = ranked[0]
    for code, value in rivals[:1] + [rival for rival in rivals if rival[0] in likely]:
        odds = math.log(value + _TINY) - math.log(inside + _TINY)
        if odds > (usual if code in likely else unlikely):
            return OnTarget(False, code, value, f"{code} is likelier by {odds:.1f} in log odds")
    if best in group:
        return OnTarget(True, best, confidence, "identified")
    return OnTarget(True, max(group & dict(ranked).keys(), key=dict(ranked).__getitem__), inside, "not excluded")


def _thresholds(text: str) -> tuple[float, float]:
    """Log odds for a likely and for an unlikely rival; in spaceless scripts three characters make a word."""
    words = len(text) / 3 if is_spaceless(text) else len(text.split())
    if words < SHORT_WORDS:
        return LOG_ODDS_SHORT, LOG_ODDS_SHORT_UNLIKELY
    return (LOG_ODDS_FEW_WORDS,) * 2 if words < FEW_WORDS else (LOG_ODDS,) * 2


def posteriors(text: str, candidates: tuple[str, ...] | None) -> list[tuple[str, float]]:
    """Languages with their posteriors, the likeliest first; among `candidates` they sum to 1."""
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
