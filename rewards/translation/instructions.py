"""Kind `mt_instructions`: which share of the translation instructions does the response follow?

Args: `{"source": "the text", "instructions": [{"id": "mt:placeholders", "kwargs": {}}, ...]}`; the source may be
a column of the row as well. An instruction that says nothing about this text (no number to keep, no word that
shows the form of address) is left out of the share; with all of them left out the result is not applicable.
An empty response follows nothing. Instructions about structures are graded and count by their own share.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rewards.constraints.registry import Finding, given_kwargs
from rewards.records import RewardResult
from rewards.registry import reward
from rewards.translation import answer_shape, formality, locale_formats, preservation, structures
from rewards.translation.instruction_table import TRANSLATION_INSTRUCTIONS

__all__ = ["FAMILIES", "TRANSLATION_INSTRUCTIONS", "follows", "mt_instructions"]

FAMILIES = (answer_shape, formality, preservation, locale_formats, structures)


def follows(
    response: str, id: str, kwargs: Mapping[str, Any] | None = None, source: str = "", locale: str | None = None
) -> bool | None:
    """Whether a response follows one instruction; None where it does not apply."""
    return finding(response, id, kwargs, source, locale).followed


def finding(
    response: str, id: str, kwargs: Mapping[str, Any] | None = None, source: str = "", locale: str | None = None
) -> Finding:
    """The same with a note; `locale` is the target's, for instructions that may have one and have none."""
    if not response.strip():
        return Finding(False, "empty response")
    instruction = TRANSLATION_INSTRUCTIONS.find(id)
    implied = {"locale": locale} if locale and "locale" in instruction.optional else {}
    verdict = instruction.check(response, source, **{**implied, **given_kwargs(kwargs)})
    return verdict if isinstance(verdict, Finding) else Finding(verdict)


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
    target_language: str | None = None,
) -> RewardResult:
    """Share of the applicable instructions followed, or all of them or nothing; `detail` says which were not and why,
    spans mark where (blame.py).
    """
    locale = target_language if isinstance(target_language, str) else None
    found = [
        (item["id"], finding(response, item["id"], item.get("kwargs"), source or "", locale)) for item in instructions
    ]
    told = {
        verdict: [f"{id} ({f.note})" if f.note else id for id, f in found if f.followed is verdict]
        for verdict in (False, None)
    }
    remarks = [f"{id}: {f.note}" for id, f in found if f.followed and f.note]
    named = [
        f"{label}: {', '.join(told[v])}" for label, v in (("not followed", False), ("not applicable", None)) if told[v]
    ]
    detail = "; ".join(named + remarks)
    judged = [f.value for _, f in found if f.value is not None]
    if not judged:
        return RewardResult("mt_instructions", None, "not_applicable", detail)
    value = float(not told[False]) if all_or_nothing else sum(judged) / len(judged)
    spans = tuple(span for _, f in found for span in f.spans)
    return RewardResult("mt_instructions", value, "ok", detail, spans=spans)
