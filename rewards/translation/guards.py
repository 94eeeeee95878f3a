"""Gates against the known ways of cheating a translation metric.

| gate | the cheat | evidence |
|---|---|---|
| `direction` | output in the source language or in English | arXiv 2403.14399; WALAR, arXiv 2603.13045 |
| `source_copy` | the source handed back | COMET issue 192: untranslated text scored highest |
| `repetition` | one phrase over and over late in training | Hunyuan-MT, arXiv 2509.05209 |
| `length_band` | padding, omission | WALAR |
| `code_mixing` | a part left in the source language or in English | WALAR |

Each returns 1.0 (holds) or 0.0 (failed, with the reason in `detail`); a failed gate sets the reward to its
floor. `repetition` and `code_mixing` mark the pieces that made them fail.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.text.identification import is_on_target, known_languages, load_identifier
from dragoman.text.language_mixing import foreign_places, language_shares
from dragoman.text.languages import base_code, same_language
from dragoman.text.normalisation import normalised, normalised_in_place
from dragoman.text.scripts import is_spaceless, script_of, weighted_length
from dragoman.text.trees import FORMATS, Format, text_of
from rewards.records import RewardResult, Row, Span
from rewards.registry import reward
from rewards.spans import SEVERITY
from rewards.translation.quality import References, as_list

_CODE = re.compile(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,8})*")
_LOOP = re.compile(r"(\S(?:.{0,40}?\S)?)(?:\s*\1){4,}", re.DOTALL)
_MAX_LOOP_CHARACTERS = 4000
_LAUGHTER = 10


def _verdict(kind: str, holds: bool, detail: str, spans: tuple[Span, ...] = ()) -> RewardResult:
    return RewardResult(kind, float(holds), "ok", detail, spans=() if holds else spans)


def _check_languages(args: Mapping[str, Any]) -> None:
    for name in ("source", "target"):
        code = args.get(name)
        if code is not None and not (isinstance(code, str) and _CODE.fullmatch(code)):
            raise ValueError(
                f"argument {name!r} is {code!r:.80}; it must be a language code such as 'de' or 'pt-BR', "
                "given in the reward's args (a column of that name may hold something else)"
            )
    if args.get("source") and same_language(args["source"], args["target"]):
        raise ValueError(
            f"source {args['source']!r} and target {args['target']!r} count as one language; a direction needs two, so "
            "give another source or leave it out"
        )


def _check_direction(args: Mapping[str, Any]) -> None:
    _check_languages(args)
    if args.get("format") not in (None, *FORMATS):
        raise ValueError(f"argument 'format' is {args['format']!r:.80}; it must be one of {', '.join(FORMATS)}")


@reward("direction", timeout_s=5, gate=True, validate=_check_direction, prepare=load_identifier)
def direction(
    response: str,
    target: str,
    source: str | None = None,
    candidates: Sequence[str] | None = None,
    format: Format | None = None,
    row: Row | None = None,
) -> RewardResult:
    """1.0 when the response is in the target language. `candidates` narrows the choice of language; of a document in
    `format` (json, xml, html) only the texts count, not keys and tags.

    `source` is a language code, given in the reward's args; the row's column `source`, where it has one, is the text
    that was translated. A response without letters fails unless that text has none either.
    """
    text = (row or {}).get("source")
    source_text = text_of(text, format) if isinstance(text, str) else None
    found = is_on_target(text_of(response, format), target, source, candidates, source_text=source_text)
    detail = f"detected {found.detected} ({found.confidence:.2f}): {found.reason}"
    if found.on_target is None:
        return RewardResult("direction", None, "not_applicable", detail)
    return _verdict("direction", found.on_target, detail)


def _check_mixing(args: Mapping[str, Any]) -> None:
    _check_languages(args)
    share = args.get("max_share", 0.0)
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise ValueError(f"argument 'max_share' is {share!r}; it must be a number from 0 to below 1")
    for name in ("target", "source"):
        if args.get(name) and base_code(args[name]) not in known_languages():
            raise ValueError(f"argument {name!r} is {args[name]!r}, which the language identifier does not know")


@reward("code_mixing", timeout_s=5, gate=True, validate=_check_mixing, prepare=load_identifier)
def code_mixing(
    response: str,
    target: str,
    source: str | None = None,
    pivots: Sequence[str] = ("en",),
    max_share: float = 0.25,
) -> RewardResult:
    """1.0 when no more than `max_share` of the response is in the source language, a pivot or another script."""
    if not response.strip():
        return _verdict("code_mixing", False, "empty response")
    shares = language_shares(response, target, source, pivots)
    if shares is None:
        return RewardResult("code_mixing", None, "not_applicable", "no letters to judge by")
    detail = (
        f"{shares.target:.2f} in {target}, {shares.source:.2f} in the source language, {shares.pivot:.2f} in "
        f"{' or '.join(pivots) or 'no pivot'}, {shares.other:.2f} in other scripts"
    )
    spans = [
        Span(start, end, SEVERITY["major"], "in another script" if language == "other" else f"in {language}")
        for start, end, language in foreign_places(response, target, source, pivots)
    ]
    return _verdict("code_mixing", shares.mixed <= max_share, detail, tuple(spans))


@reward("source_copy", timeout_s=5, gate=True)
def source_copy(
    response: str,
    source: str,
    reference: References | None = None,
    max_overlap: float = 0.7,
    margin: float = 0.3,
) -> RewardResult:
    """1.0 unless the response repeats the source text.

    Measured as the share of the response's character 4-grams that the source has. With references the share
    may exceed that of the best reference by `margin` (names and numbers are rightly copied), else it may
    reach `max_overlap`.
    """
    references = as_list(reference) if reference is not None else []
    same = _flat(response) == _flat(source)
    if any(_flat(text) == _flat(response) for text in references):
        return _verdict("source_copy", True, "equals a reference")
    overlap = 1.0 if same else containment(_flat(response), _flat(source))
    rightly = max((containment(_flat(text), _flat(source)) for text in references), default=0.0)
    allowed = min(0.95, rightly + margin) if references else max_overlap
    return _verdict("source_copy", overlap <= allowed, f"{overlap:.2f} copied, {allowed:.2f} allowed")


@reward("repetition", timeout_s=5, gate=True)
def repetition(response: str, max_repeated: float = 0.4) -> RewardResult:
    """1.0 unless a phrase is looped: five times in a row, or most word 3-grams seen before.

    A sound within a word (hahaha, はははは) may stand nine times in a row: that is laughter.
    """
    plain = normalised_in_place(response)
    text = plain.text
    found = (match for match in _LOOP.finditer(text[:_MAX_LOOP_CHARACTERS]) if any(map(str.isalpha, match[1])))
    loop = next((match for match in found if not _is_laughter(match)), None)
    if loop is not None:
        again = Span(*plain.span(loop.end(1), loop.end()), SEVERITY["major"], "the same again and again")
        return _verdict("repetition", False, f"{loop[1][:40]!r} five times in a row", (again,))
    share = repeated_share(text)
    places = repeated_places(text) if share > max_repeated else []
    spans = tuple(Span(*plain.span(*place), SEVERITY["major"], "said before") for place in places)
    return _verdict("repetition", share <= max_repeated, f"{share:.2f} of the n-grams repeat", spans)


def _is_laughter(match: re.Match[str]) -> bool:
    """One letter, or two of an alphabet, without a space between and fewer than ten times."""
    unit, run = match[1], match[0]
    sound = len(unit) == 1 or (len(unit) == 2 and script_of(unit[0]) not in ("CJK", "HANGUL", "HIRAGANA", "KATAKANA"))
    return sound and len(run) < _LAUGHTER * len(unit) and not any(map(str.isspace, run))


@reward("length_band", timeout_s=5, gate=True)
def length_band(
    response: str,
    source: str | None = None,
    reference: References | None = None,
    min_ratio: float = 0.4,
    max_ratio: float = 2.5,
    slack: int = 12,
) -> RewardResult | None:
    """1.0 when the response's length lies within [min_ratio, max_ratio] of the reference (or else the
    source).

    In characters, a Han character or kana as three and a Korean syllable as two, with `slack` characters of freedom on
    both sides for short texts.
    """
    lengths = [weighted_length(_flat(t)) for t in (as_list(reference) if reference is not None else [source or ""])]
    if not any(lengths):
        return None
    low, high = min_ratio * min(lengths) - slack, max_ratio * max(lengths) + slack
    length = weighted_length(_flat(response))
    return _verdict(
        "length_band", length > 0 and low <= length <= high, f"{length} characters, band {low:.0f}-{high:.0f}"
    )


def containment(text: str, other: str, size: int = 4) -> float:
    """Share of the character n-grams of `text` (with repeats) found in `other`; 0.0 for shorter texts."""
    grams = Counter(text[i : i + size] for i in range(len(text) - size + 1))
    known = {other[i : i + size] for i in range(len(other) - size + 1)}
    total = sum(grams.values())
    return sum(count for gram, count in grams.items() if gram in known) / total if total else 0.0


def repeated_share(text: str) -> float:
    """1 - distinct / all n-grams: word 3-grams, or character 6-grams without spaces; 0.0 below 12 n-grams."""
    grams = [words for words, *_ in _grams(text)]
    return 1 - len(set(grams)) / len(grams) if len(grams) >= 12 else 0.0


def repeated_places(text: str) -> list[tuple[int, int]]:
    """Where the n-grams stand that were seen before; what touches is one piece."""
    seen: set[tuple[str, ...]] = set()
    places: list[tuple[int, int]] = []
    for words, start, end in _grams(text):
        if words in seen:
            joins = places and start <= places[-1][1]
            places.append((places.pop()[0], end) if joins else (start, end))
        seen.add(words)
    return places


def _grams(text: str) -> list[tuple[tuple[str, ...], int, int]]:
    """The n-grams with where they stand."""
    spaceless = is_spaceless(text)
    units = [(match[0], *match.span()) for match in re.finditer("." if spaceless else r"\S+", text, re.DOTALL)]
    windows = zip(*(units[i:] for i in range(6 if spaceless else 3)), strict=False)
    return [(tuple(unit[0] for unit in window), window[0][1], window[-1][2]) for window in windows]


def _flat(text: str) -> str:
    return " ".join(normalised(text).casefold().split())
