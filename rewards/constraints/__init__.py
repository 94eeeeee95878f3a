"""Kind `constraints`: which share of the instructions does the response follow?

A row's args hold `{"instructions": [{"id": "keywords:existence", "kwargs": {...}}, ...]}` with the ids and
kwargs of IFEval and IFBench. The value is the share followed (IFEval's instruction level), or 1.0 / 0.0 for
all of them with `all_or_nothing` (its prompt level). An empty response follows nothing: without this, silence
satisfies `no_comma`.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rewards.constraints import (
    counts,
    formats,
    keywords,
    layout,
    length,
    ratios,
    sentence_patterns,
    tasks,
    word_patterns,
    wording,
)
from rewards.constraints.conflicts import find_conflict
from rewards.constraints.registry import INSTRUCTIONS, given_kwargs
from rewards.records import RewardResult
from rewards.registry import reward

__all__ = ["FAMILIES", "INSTRUCTIONS", "constraints", "find_conflict", "follows"]

FAMILIES = (counts, formats, keywords, layout, length, ratios, sentence_patterns, tasks, word_patterns, wording)


def follows(response: str, id: str, kwargs: Mapping[str, Any] | None = None) -> bool:
    """Whether a response follows one instruction; ValueError for an unknown id.

    Letters written in one character or in two (NFC, NFD) are the same, and so are the ends of lines of all systems.
    """
    text = unicodedata.normalize("NFC", response.replace("\r\n", "\n"))
    return bool(text.strip()) and bool(INSTRUCTIONS.find(id).check(text, **_composed(given_kwargs(kwargs))))


def _composed(value: Any) -> Any:
    """Texts anywhere in the kwargs under NFC."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {name: _composed(item) for name, item in value.items()}
    return [_composed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _kwargs(item: Mapping[str, Any], whole_words: bool) -> dict[str, Any]:
    own = given_kwargs(item.get("kwargs"))
    return {"whole_words": whole_words, **own} if "whole_words" in INSTRUCTIONS.find(item["id"]).optional else own


def _check_instructions(args: Mapping[str, Any]) -> None:
    INSTRUCTIONS.check_all(args["instructions"])
    conflict = find_conflict(args["instructions"])
    if conflict:
        raise ValueError(f"{conflict}; remove one of them")


@reward("constraints", timeout_s=5, validate=_check_instructions)
def constraints(
    response: str,
    instructions: Sequence[Mapping[str, Any]],
    all_or_nothing: bool = False,
    whole_words: bool = True,
) -> RewardResult:
    """Share of the instructions followed, or all of them or nothing.

    `whole_words: false` looks for keywords anywhere, as the original does; an instruction's own kwarg goes before.
    """
    broken = [item["id"] for item in instructions if not follows(response, item["id"], _kwargs(item, whole_words))]
    share = 1 - len(broken) / len(instructions)
    value = float(not broken) if all_or_nothing else share
    return RewardResult("constraints", value, "ok", f"not followed: {', '.join(broken)}" if broken else "")
