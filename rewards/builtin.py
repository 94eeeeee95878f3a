"""Import every module that registers a built-in kind."""

from __future__ import annotations

import importlib

MODULES = (
    "rewards.translation.quality",
    "rewards.translation.guards",
    "rewards.translation.instructions",
    "rewards.constraints",
    "rewards.mathematics",
    "rewards.code",
)


def register_builtins() -> None:
    for module in MODULES:
        importlib.import_module(module)
