"""`alignment`: a gate that fails when something was left out of the translation or added to it.

Two looks, both ways round (source to response finds omissions, response to source additions):

1. Sentences. Each sentence must be near some run of up to three neighbouring sentences of the other side, by
   multilingual sentence embeddings. A sentence of fewer than `_SHORT` letters counts with its neighbour: on two words
   the encoder says little.
2. Numbers. A number of two or more digits must stand on the other side too, whatever the digits' script and the
   separators (1,000.50 and 1.000,50 are equal). One digit may rightly become a word.

Detection and false alarms are measured by bench/adequacy.py; docs/rewards/adequacy.md has the figures. Word alignment
(WALAR, arXiv 2603.13045) sees finer omissions, but needs a large encoder.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rewards.models.embeddings import check_languages, embed, prepare_encoder, unsupported
from rewards.records import RewardResult
from rewards.registry import each, reward
from rewards.translation.quality import check_source

MIN_SIMILARITY = 0.35
_SHORT = 12
_RUN = 3
_MOST_SENTENCES = 60
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』”]*\s*|\n+")
_NUMBER = re.compile(r"\d+(?:[.,'’٫٬\u00a0\u202f]\d+)*")


def check_arguments(args: Mapping[str, Any]) -> None:
    """ValueError when the source or the languages are malformed."""
    check_source(args)
    check_languages(args.get("languages"))


@reward(
    "alignment",
    timeout_s=60,
    gate=True,
    batched=True,
    batch_size=32,
    validate=check_arguments,
    prepare=prepare_encoder,
)
def alignment(
    response: list[str],
    source: list[str],
    languages: list[Sequence[str]],
    min_similarity: list[float] = each(MIN_SIMILARITY),
    numbers: list[bool] = each(True),
) -> list[RewardResult]:
    """1.0 when nothing is missing and nothing was added; `numbers: false` leaves numbers out of it."""
    given = zip(response, source, languages, min_similarity, numbers, strict=True)
    return [_judge(text, origin, codes, least, look) for text, origin, codes, least, look in given]


def sentences_of(text: str) -> list[str]:
    """The text's sentences; those of few letters are joined to their neighbour."""
    parts = [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]
    joined: list[str] = []
    for part in parts:
        if joined and (_letters(part) < _SHORT or _letters(joined[-1]) < _SHORT):
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    return joined


def uncovered(sentences: Sequence[str], others: Sequence[str]) -> list[tuple[float, str]]:
    """For each sentence its best similarity to a run of the other side's sentences."""
    runs = [
        " ".join(others[start:end])
        for start in range(len(others))
        for end in range(start + 1, min(len(others), start + _RUN) + 1)
    ]
    best = (embed(list(sentences)) @ embed(runs).T).max(axis=1).tolist()
    return list(zip(best, sentences, strict=True))


def numbers_of(text: str) -> list[str]:
    """The digits of each number of two or more digits, in Western digits and without separators."""
    western = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    digits = [re.sub(r"\D", "", found) for found in _NUMBER.findall(western)]
    return [found for found in digits if len(found) >= 2]


def _judge(text: str, source: str, codes: Sequence[str], least: float, look_at_numbers: bool) -> RewardResult:
    unknown = unsupported(codes)
    if unknown:
        return _result(None, f"the sentence encoder does not know {', '.join(unknown)}")
    ours, theirs = sentences_of(text), sentences_of(source)
    if not ours or not theirs:
        return _result(bool(ours) == bool(theirs), "empty response" if not ours else "empty source")
    if max(len(ours), len(theirs)) > _MOST_SENTENCES:
        return _result(None, f"more than {_MOST_SENTENCES} sentences; give passages")
    if look_at_numbers:
        wanted, found = set(numbers_of(source)), set(numbers_of(text))
        if wanted - found:
            return _result(False, f"number left out: {min(wanted - found)}")
        if found - wanted:
            return _result(False, f"number added: {min(found - wanted)}")
    for word, pairs in (("left out", uncovered(theirs, ours)), ("added", uncovered(ours, theirs))):
        similarity, sentence = min(pairs)
        if similarity < least:
            return _result(False, f"{word} ({similarity:.2f}): {sentence[:80]!r}")
    return _result(True, "")


def _result(holds: bool | None, detail: str) -> RewardResult:
    if holds is None:
        return RewardResult("alignment", None, "not_applicable", detail)
    return RewardResult("alignment", float(holds), "ok", detail)


def _letters(text: str) -> int:
    """Letters, ideographs counted as two and a half: they say more each."""
    return sum(5 if unicodedata.east_asian_width(c) in "WF" else 2 for c in text if c.isalpha()) // 2
