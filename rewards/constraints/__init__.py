"""Kind `constraints`: which share of the instructions does the response follow?

A row's args hold `{"instructions": [{"id": "keywords:existence", "kwargs": {...}}, ...]}` with the ids and
kwargs of IFEval and IFBench. The value is the share followed (IFEval's instruction level), or 1.0 / 0.0 for
all of them with `all_or_nothing` (its prompt level). An empty response follows nothing: without this, silence
satisfies `no_comma`.
"""

from __future__ import annotations

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
    """Whether a response follows one instruction; ValueError for an unknown id."""
    return bool(response.strip()) and bool(INSTRUCTIONS.find(id).check(response, **given_kwargs(kwargs)))


def _check_instructions(args: Mapping[str, Any]) -> None:
    INSTRUCTIONS.check_all(args["instructions"])
    conflict = find_conflict(args["instructions"])
    if conflict:
        raise ValueError(f"{conflict}; remove one of them")


@reward("constraints", timeout_s=5, validate=_check_instructions)
def constraints(response: str, instructions: Sequence[Mapping[str, Any]], all_or_nothing: bool = False) -> RewardResult:
    """Share of the instructions followed, or all of them or nothing."""
    broken = [item["id"] for item in instructions if not follows(response, item["id"], item.get("kwargs"))]
    share = 1 - len(broken) / len(instructions)
    value = float(not broken) if all_or_nothing else share
    return RewardResult("constraints", value, "ok", f"not followed: {', '.join(broken)}" if broken else "")
