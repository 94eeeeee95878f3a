"""Import every module that registers a built-in kind."""

from __future__ import annotations

import importlib

MODULES = (
    "rewards.translation.quality",
    "rewards.translation.spbleu",
    "rewards.translation.guards",
    "rewards.translation.adequacy",
    "rewards.translation.alignment",
    "rewards.translation.several_answers",
    "rewards.translation.hub",
    "rewards.models.comet",
    "rewards.models.regression",
    "rewards.translation.instructions",
    "rewards.translation.round_trip",
    "rewards.translation.preference_label",
    "rewards.models.judge",
    "rewards.constraints",
    "rewards.mathematics",
    "rewards.code",
)


def register_builtins() -> None:
    """Built-in kinds, then those of installed packages (plugins.load_entry_points)."""
    for module in MODULES:
        importlib.import_module(module)
    from rewards.plugins import load_entry_points

    load_entry_points()
