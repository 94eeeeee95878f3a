"""Rewards that cannot be cheated cheaply, cannot hang a run, and plug in from one file.

A row asks for components (`rewards: [{kind, weight, args}]`); `RewardPools` runs each in the pool of its
kind and mixes them into a `Score`. Built-in kinds: math, reasoning_gym, code, constraints, judge, pairwise_judge; for
translation chrf / chrf++ / bleu / spbleu / ter / exact_match, comet / comet_kiwi / xcomet, regression_head, adequacy,
round_trip, preference_label, mt_instructions; for annotation error_spans, named_entities, edits, rating; on all answers
to a prompt ranking_judge, relative_quality, consensus; and the gates direction, code_mixing, source_copy, repetition,
length_band, several_answers, hub, alignment. `@reward` adds another; see docs/rewards/.

Importing this package needs neither Ray nor pydantic nor any metric library; each is loaded when it is first used, so
that a killable child starts fast, and workers in another environment (`.venv-comet`) need none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rewards.errors import RewardError
from rewards.plugins import load_entry_points
from rewards.records import RewardResult, RewardSpec, Score, Span
from rewards.registry import each, known_kinds, reward
from rewards.validation import validate_rows

if TYPE_CHECKING:
    from rewards.execution.pools import RewardPools
    from rewards.settings import PoolSettings, RewardSettings

__all__ = [
    "PoolSettings",
    "RewardError",
    "RewardPools",
    "RewardResult",
    "RewardSettings",
    "RewardSpec",
    "Score",
    "Span",
    "each",
    "known_kinds",
    "reward",
    "validate_rows",
]

_BUILT_IN = (
    "rewards.translation.quality",
    "rewards.translation.spbleu",
    "rewards.translation.guards",
    "rewards.translation.adequacy",
    "rewards.translation.alignment",
    "rewards.translation.several_answers",
    "rewards.translation.hub",
    "rewards.translation.group_quality",
    "rewards.models.comet",
    "rewards.models.regression",
    "rewards.translation.instructions",
    "rewards.translation.round_trip",
    "rewards.translation.preference_label",
    "rewards.annotation.error_spans",
    "rewards.annotation.named_entities",
    "rewards.annotation.edits",
    "rewards.annotation.rating",
    "rewards.models.judge",
    "rewards.models.ranking_judge",
    "rewards.models.pairwise_judge",
    "rewards.constraints",
    "rewards.mathematics",
    "rewards.reasoning",
    "rewards.code",
)
"""Modules that register kinds; those of installed packages come after them"""
for _module in _BUILT_IN:
    importlib.import_module(_module)
load_entry_points()
_LOADED_WHEN_USED = {
    "PoolSettings": "rewards.settings",
    "RewardPools": "rewards.execution.pools",
    "RewardSettings": "rewards.settings",
}


def __getattr__(name: str) -> Any:
    if name in _LOADED_WHEN_USED:
        return getattr(importlib.import_module(_LOADED_WHEN_USED[name]), name)
    raise AttributeError(f"module 'rewards' has no attribute {name!r}")
