"""Call a reward function: inject its arguments by name, turn whatever it gives into a `RewardResult`.

A parameter is filled, in this order, from: the spec's `args`; the row's `response`, `prompt` (text of the
last user message), `messages`, `row`, `id`; any other column of the row; its default. Nothing the function
does escapes as an exception: a raise, NaN, infinity or a wrong type is status `error` with a detail that
names it.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import numbers
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rewards.records import RewardResult, RewardSpec, Row, prompt_text
from rewards.registry import RewardKind

_MISSING = object()
_MAX_DETAIL = 500


def missing_arguments(kind: RewardKind, spec: RewardSpec, row: Row) -> list[str]:
    """Required parameters that neither the spec's args nor the row's columns fill (bar `response`)."""
    names = []
    for name, parameter in _parameters(kind.function).items():
        if parameter.kind is parameter.VAR_KEYWORD or name == "response":
            continue
        if parameter.default is parameter.empty and _lookup(name, spec, row) is _MISSING:
            names.append(name)
    return names


def unknown_arguments(kind: RewardKind, spec: RewardSpec) -> list[str]:
    """Names in the spec's args that the function does not take."""
    parameters = _parameters(kind.function)
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return []
    return [name for name in spec.args if name not in parameters]


def collect_arguments(kind: RewardKind, spec: RewardSpec, row: Row) -> dict[str, Any]:
    """The keyword arguments of one call; ValueError names the row and the column that is missing."""
    arguments: dict[str, Any] = {}
    for name, parameter in _parameters(kind.function).items():
        if parameter.kind is parameter.VAR_KEYWORD:
            arguments.update(spec.args)
            continue
        value = _lookup(name, spec, row)
        if value is not _MISSING:
            arguments[name] = value
        elif parameter.default is parameter.empty:
            raise ValueError(f"row {row.get('id')!r} has no column or argument {name!r}, which {kind.name!r} needs")
    return arguments


def is_async(kind: RewardKind) -> bool:
    return inspect.iscoroutinefunction(kind.function)


def call(kind: RewardKind, spec: RewardSpec, row: Row) -> RewardResult:
    """Run one check in this thread. Async functions get an event loop of their own."""
    started = time.perf_counter()
    try:
        given = kind.function(**collect_arguments(kind, spec, row))
        if inspect.isawaitable(given):
            given = asyncio.run(_finish(given))
    except Exception as error:
        return failure(kind.name, error, time.perf_counter() - started)
    return coerce(kind.name, given, time.perf_counter() - started)


async def call_async(kind: RewardKind, spec: RewardSpec, row: Row) -> RewardResult:
    """Run one check of an async function on the running loop."""
    started = time.perf_counter()
    try:
        given = await kind.function(**collect_arguments(kind, spec, row))
    except Exception as error:
        return failure(kind.name, error, time.perf_counter() - started)
    return coerce(kind.name, given, time.perf_counter() - started)


def coerce(kind: str, given: Any, latency_s: float = 0.0) -> RewardResult:
    """float, int, bool, numpy scalar, None or RewardResult -> RewardResult; else status `error`."""
    if isinstance(given, RewardResult):
        checked = coerce(kind, given.value, latency_s) if given.status == "ok" else given
        detail = given.detail if checked.status == given.status else checked.detail
        return RewardResult(kind, checked.value, checked.status, detail[:_MAX_DETAIL], latency_s)
    if given is None:
        return RewardResult(kind, None, "not_applicable", "", latency_s)
    if not isinstance(given, numbers.Real) and type(given).__name__ not in ("bool_", "bool"):
        reason = f"returned {type(given).__name__}; return a float, None or a RewardResult"
        return RewardResult(kind, None, "error", reason, latency_s)
    value = float(given)
    if not math.isfinite(value):
        return RewardResult(kind, None, "error", f"returned {value}; a reward must be finite", latency_s)
    return RewardResult(kind, value, "ok", "", latency_s)


def failure(kind: str, error: BaseException, latency_s: float = 0.0) -> RewardResult:
    detail = f"{type(error).__name__}: {error}"
    return RewardResult(kind, None, "error", detail[:_MAX_DETAIL], latency_s)


async def _finish(awaitable: Any) -> Any:
    return await awaitable


@lru_cache(maxsize=512)
def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: p for name, p in parameters.items() if p.kind is not p.VAR_POSITIONAL}


def _lookup(name: str, spec: RewardSpec, row: Row) -> Any:
    if name in spec.args:
        return spec.args[name]
    if name == "row":
        return row
    if name == "prompt":
        text = prompt_text(row)
        return _MISSING if text is None else text
    return row.get(name, _MISSING)
