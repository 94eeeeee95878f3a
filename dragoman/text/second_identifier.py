"""A second opinion on the language of an answer, from an identifier that no stage of training optimises.

The gate `direction` pays what py3langid accepts (identification.py). A policy may learn its weaknesses, and an
evaluation that asks the same judge would not see it. Here CLD2 is asked, the compact language detector of Chromium
(pycld2, Apache-2.0, its tables in the wheel): other training data (web pages), other features (quadgrams of letters
within one script, single characters of Han), scripts decided before any counting. NeMo-Gym measures the language of
WMT24++ translations with it as well.

CLD2 was made for 200 characters and more; on a sentence its first guess is often a language near the right one, or
English. So the question is, as in identification.py, whether another language is clearly likelier than the target: CLD2
is asked once expecting the target and once expecting each rival (the source, English, its own first guess), and the
rival must find `MARGIN` times as much evidence. bench/direction.py compares both identifiers.
"""

from functools import cache
from typing import Any

from dragoman.text.identification import OnTarget, without_letters
from dragoman.text.languages import base_code, same_language
from dragoman.text.scripts import script_counts

MARGIN = 1.25
"""Chosen on the catalogs of Django and Horizon; bench/direction.py measures on other texts."""
_OLD_CODES = {"he": "iw", "jv": "jw"}
"""ISO 639 codes of today, and what CLD2 writes instead"""
_CODES_OF_TODAY = {old: code for code, old in _OLD_CODES.items()}
Evidence = dict[str, float]
"""Language -> matched quadgrams: CLD2's score per byte times the share of the text that it found in the language"""


def second_opinion(text: str, target: str, source: str | None = None, *, source_text: str | None = None) -> OnTarget:
    """Whether a translation into `target` is in `target`; arguments and answer as of `is_on_target`.

    `on_target` is None when there is nothing to judge, for a target that CLD2 does not know, and where it cannot say;
    `confidence` is the detected language's share of the evidence for it and for the target.
    """
    if not script_counts(text):
        return without_letters(text, source_text)
    if _cld2_code(target) not in _known_codes():
        return OnTarget(None, "und", 0.0, f"CLD2 does not know {target!r}")
    inside = _strength(_evidence(text, target), target)
    rivals = {code: _strength(_evidence(text, code), code) for code in _rivals(text, target, source)}
    rival = max(rivals, key=rivals.__getitem__, default="und")
    outside = rivals.get(rival, 0.0)
    if not inside and not outside:
        return OnTarget(None, "und", 0.0, "CLD2 cannot say")
    share = inside / (inside + outside)
    if outside > MARGIN * inside:
        return OnTarget(False, base_code(rival), 1 - share, f"CLD2 finds more of {rival}")
    return OnTarget(True, base_code(target), share, "CLD2 finds the target")


def _rivals(text: str, target: str, source: str | None) -> list[str]:
    """What the text may be in instead of the target."""
    unprompted = _evidence(text, None)
    guess = max(unprompted, key=unprompted.__getitem__, default=None)
    codes = [code for code in ("en", source, guess) if code is not None and not same_language(code, target)]
    return list(dict.fromkeys(codes))


def _strength(evidence: Evidence, code: str) -> float:
    return max((value for found, value in evidence.items() if same_language(found, code)), default=0.0)


def _evidence(text: str, expected: str | None) -> Evidence:
    """The up to three languages that CLD2 finds, when told to expect one."""
    hint = {} if expected is None else {"hintLanguage": _cld2_code(expected)}
    printable = "".join(c if c.isprintable() else " " for c in text)  # CLD2 refuses control characters and surrogates
    _, _, details = _cld2().detect(printable, bestEffort=True, **hint)
    known = [(code, percent * score) for _, code, percent, score in details if code != "un"]
    return {_CODES_OF_TODAY.get(code, code): value for code, value in known}


def _cld2_code(code: str) -> str:
    return _OLD_CODES.get(base_code(code), base_code(code))


@cache
def _known_codes() -> frozenset[str]:
    codes = dict(_cld2().LANGUAGES)
    return frozenset(codes[name] for name in _cld2().DETECTED_LANGUAGES if name in codes)


@cache
def _cld2() -> Any:
    import pycld2

    return pycld2
