"""Kind `mt_instructions`: which share of the translation instructions does the response follow?

Args: `{"source": "the text", "instructions": [{"id": "mt:placeholders", "kwargs": {}}, ...]}`; the source may be
a column of the row as well. An instruction that says nothing about this text (no number to keep, no word that
shows the form of address) is left out of the share; with all of them left out the result is not applicable.
An empty response follows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rewards.constraints.registry import given_kwargs
from rewards.records import RewardResult
from rewards.registry import reward
from rewards.translation import answer_shape, formality, locale_formats, preservation
from rewards.translation.instruction_table import TRANSLATION_INSTRUCTIONS

__all__ = ["FAMILIES", "TRANSLATION_INSTRUCTIONS", "follows", "mt_instructions"]

FAMILIES = (answer_shape, formality, preservation, locale_formats)


def follows(response: str, id: str, kwargs: Mapping[str, Any] | None = None, source: str = "") -> bool | None:
    """Whether a response follows one instruction; None where it does not apply."""
    if not response.strip():
        return False
    return TRANSLATION_INSTRUCTIONS.find(id).check(response, source, **given_kwargs(kwargs))


def _check_instructions(args: Mapping[str, Any]) -> None:
    source = args.get("source")
    if source is not None and not isinstance(source, str):
        raise ValueError(f"argument 'source' is {source!r:.80}; it must be the source text")
    TRANSLATION_INSTRUCTIONS.check_all(args["instructions"], has_source=bool(source and source.strip()))


@reward("mt_instructions", timeout_s=5, validate=_check_instructions)
def mt_instructions(
    response: str,
    instructions: Sequence[Mapping[str, Any]],
    source: str | None = None,
    all_or_nothing: bool = False,
) -> RewardResult:
    """Share of the applicable instructions followed, or all of them or nothing."""
    verdicts = [(item["id"], follows(response, item["id"], item.get("kwargs"), source or "")) for item in instructions]
    judged = [(id, verdict) for id, verdict in verdicts if verdict is not None]
    unjudged = [id for id, verdict in verdicts if verdict is None]
    broken = [id for id, verdict in judged if not verdict]
    notes = [("not followed", broken), ("not applicable", unjudged)]
    detail = "; ".join(f"{label}: {', '.join(ids)}" for label, ids in notes if ids)
    if not judged:
        return RewardResult("mt_instructions", None, "not_applicable", detail)
    value = float(not broken) if all_or_nothing else 1 - len(broken) / len(judged)
    return RewardResult("mt_instructions", value, "ok", detail)
