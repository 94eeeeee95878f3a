"""Rewards that cannot be cheated cheaply, cannot hang a run, and plug in from one file.

A row asks for components (`rewards: [{kind, weight, args}]`); `RewardPools` runs each in the pool of its
kind and mixes them into a `Score`. Built-in kinds: math, code, constraints, judge; for translation chrf / chrf++ /
bleu / spbleu / ter / exact_match, comet / comet_kiwi / xcomet, regression_head, adequacy, round_trip,
preference_label, mt_instructions; and the gates direction, code_mixing, source_copy, repetition, length_band,
several_answers, hub, alignment. `@reward` adds another; see docs/rewards/.

Importing this package needs neither Ray nor pydantic nor any metric library; each is loaded when it is first used, so
that a killable child starts fast, and workers in another environment (`.venv-comet`) need none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rewards import builtin as _builtin
from rewards.errors import RewardError
from rewards.records import RewardResult, RewardSpec, Score
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
    "each",
    "known_kinds",
    "reward",
    "validate_rows",
]

_builtin.register_builtins()


_LOADED_WHEN_USED = {
    "PoolSettings": "rewards.settings",
    "RewardPools": "rewards.execution.pools",
    "RewardSettings": "rewards.settings",
}


def __getattr__(name: str) -> Any:
    if name in _LOADED_WHEN_USED:
        return getattr(importlib.import_module(_LOADED_WHEN_USED[name]), name)
    raise AttributeError(f"module 'rewards' has no attribute {name!r}")
