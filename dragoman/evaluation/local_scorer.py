"""Rewards in this process, for evaluations whose kinds are light: no pools, no Ray, no other environment.

Kinds that can hang, need a sandbox, a GPU or an environment of their own are not light; with one of them a caller takes
`rewards.RewardPools`. Both give the same results.
"""

import asyncio
import inspect
from collections.abc import Iterable, Sequence

from rewards.calling import call, call_batch
from rewards.mixing import mix, part_of
from rewards.records import RewardResult, RewardSpec, Row, Scorable, Score
from rewards.registry import RewardKind, find_kind

_HEAVY = ("code", "regression_head")
_BATCH = 64
Check = tuple[RewardSpec, Row]


def is_light(kind: RewardKind) -> bool:
    """Whether a kind may run here."""
    apart = kind.isolated or kind.group or kind.environment is not None or kind.name in _HEAVY
    return not apart and not inspect.iscoroutinefunction(kind.function)


def all_light(kinds: Iterable[str]) -> bool:
    """Whether all of these may run here."""
    return all(is_light(find_kind(kind)) for kind in kinds)


class LocalScorer:
    """A scorer without actors."""

    async def score(self, prompt: Scorable, response: str) -> Score:
        """The reward of one answer."""
        return (await self.score_many([(prompt, response)]))[0]

    async def score_group(self, prompt: Scorable, responses: Sequence[str]) -> list[Score]:
        """Scores of all answers to one prompt; light kinds see each alone."""
        return await self.score_many([(prompt, response) for response in responses])

    async def score_many(self, answers: Sequence[tuple[Scorable, str]]) -> list[Score]:
        """Scores in the order of `answers`."""
        return await asyncio.to_thread(_scored, answers)


def _scored(answers: Sequence[tuple[Scorable, str]]) -> list[Score]:
    checks: list[Check] = [
        (spec, {**prompt.columns, "response": response}) for prompt, response in answers for spec in prompt.specs
    ]
    results: list[RewardResult | None] = [None] * len(checks)
    for kind in dict.fromkeys(spec.kind for spec, _ in checks):
        places = [place for place, (spec, _) in enumerate(checks) if spec.kind == kind]
        for place, result in zip(places, _checked(find_kind(kind), [checks[p] for p in places]), strict=True):
            results[place] = result
    left = iter(result for result in results if result is not None)
    return [_mixed(prompt, [next(left) for _ in prompt.specs]) for prompt, _ in answers]


def _checked(kind: RewardKind, checks: Sequence[Check]) -> list[RewardResult]:
    if not kind.batched:
        return [call(kind, *check) for check in checks]
    found: list[RewardResult] = []
    for start in range(0, len(checks), _BATCH):
        batch = checks[start : start + _BATCH]
        together = call_batch(kind, batch)
        found += together if together is not None else [r for one in batch for r in call_batch(kind, [one]) or ()]
    return found


def _mixed(prompt: Scorable, results: Sequence[RewardResult]) -> Score:
    parts = [part_of(spec, result) for spec, result in zip(prompt.specs, results, strict=True)]
    return Score(str(prompt.columns.get("id")), mix(parts), tuple(results))
