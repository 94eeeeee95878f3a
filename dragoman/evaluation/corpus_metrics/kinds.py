"""Reward kinds as corpus metrics: the mean over rows of what a kind says of the answer.

The scorer (reward pools, with their workers and environments) is asked for the kinds that a suite names; its values are
kept in `Outcome.measures`, from where `KindMetric` reads them, and spans that it marked in `Outcome.marks`. A kind that
could not look at a row leaves it out, and one that could look at none is empty with the reason it gave.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dragoman.data.rows import Prompt
from dragoman.evaluation.corpus_metrics.base import RowMetric
from dragoman.evaluation.outcomes import Outcome
from rewards.records import RewardResult, RewardSpec, Scorer
from rewards.registry import find_kind


class KindMetric(RowMetric):
    """The mean of a reward kind."""

    unit = "reward"

    def __init__(self, kind: str) -> None:
        self.name = self.title = kind
        self.missing = f"the reward kind {kind!r} could not judge a single row"

    def row_value(self, outcome: Outcome) -> float | None:
        return outcome.measures.get(self.name)


@dataclass(frozen=True)
class Measured:
    """Outcomes with the values of some kinds, and why kinds that have none do not."""

    outcomes: tuple[Outcome, ...]
    reasons: Mapping[str, str]


async def with_kinds(
    pairs: Sequence[tuple[Prompt, Outcome]], kinds: Mapping[str, Mapping[str, Any]], scorer: Scorer
) -> Measured:
    """The outcomes with the kinds' values; `kinds` are their names with the arguments of each."""
    outcomes = [outcome for _, outcome in pairs]
    reasons: dict[str, str] = {}
    for kind, arguments in kinds.items():
        wanted = [(replace(p, specs=(spec_of(kind, p, arguments),)), o.response) for p, o in pairs]
        results = [score.components[0] for score in await scorer.score_many(wanted)] if wanted else []
        outcomes = [
            replace(
                outcome,
                measures={**outcome.measures, kind: result.value},
                marks=(*outcome.marks, result) if result.spans else outcome.marks,
            )
            for outcome, result in zip(outcomes, results, strict=True)
        ]
        if not any(result.value is not None for result in results):
            reasons[kind] = _reason(results)
    return Measured(tuple(outcomes), reasons)


def spec_of(kind: str, prompt: Prompt, arguments: Mapping[str, Any]) -> RewardSpec:
    """What a kind is asked about a row: its parameters from the row's pair, further ones as given."""
    names = inspect.signature(find_kind(kind).function).parameters
    known: dict[str, Any] = {}
    if prompt.pair is not None:
        source, target = prompt.pair.direction
        codes = "target" in names
        """A kind with a parameter `target` takes language codes, and means the source's by `source`"""
        known = {"source": source, "target": target} if codes else {"source": prompt.pair.source}
        known["languages"] = [source, target]
    if prompt.reference:
        known["reference"] = [prompt.reference, *prompt.more_references] if prompt.more_references else prompt.reference
    return RewardSpec(kind, args={**{n: v for n, v in known.items() if n in names}, **arguments})


def _reason(results: Sequence[RewardResult]) -> str:
    told = next((result.detail for result in results if result.detail), "")
    return told.splitlines()[0][:300] if told else "it does not apply to these rows"
