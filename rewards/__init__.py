"""Rewards that cannot be cheated cheaply, cannot hang a run, and plug in from one file.

A row asks for components (`rewards: [{kind, weight, args}]`); `RewardPools` runs each in the pool of its
kind and mixes them into a `Score`. Built-in kinds: math, code, constraints, judge; for translation chrf / chrf++ /
bleu / spbleu / ter / exact_match, comet / comet_kiwi / xcomet, regression_head, adequacy, round_trip,
preference_label, mt_instructions; and the gates direction, code_mixing, source_copy, repetition, length_band,
several_answers, hub, alignment. `@reward` adds another; see docs/rewards/.

Importing this package needs neither Ray nor any metric library; both are loaded when they are first used, so
that a killable child starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rewards import builtin as _builtin
from rewards.errors import RewardError
from rewards.records import RewardResult, RewardSpec, Score
from rewards.registry import each, known_kinds, reward
from rewards.validation import validate_rows

if TYPE_CHECKING:
    from rewards.execution.pools import PoolSettings, RewardPools

__all__ = [
    "PoolSettings",
    "RewardError",
    "RewardPools",
    "RewardResult",
    "RewardSpec",
    "Score",
    "each",
    "known_kinds",
    "reward",
    "validate_rows",
]

_builtin.register_builtins()


def __getattr__(name: str) -> Any:
    if name in ("PoolSettings", "RewardPools"):
        from rewards.execution import pools

        return getattr(pools, name)
    raise AttributeError(f"module 'rewards' has no attribute {name!r}")
