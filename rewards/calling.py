"""Call a reward function: inject its arguments by name, turn whatever it gives into a `RewardResult`.

A parameter is filled, in this order, from: the spec's `args`; the row's `response`, `prompt` (text of the
last user message), `messages`, `row`, `id`; any other column of the row; its default. Nothing the function
does escapes as an exception: a raise, NaN, infinity, a wrong type or a span outside of the response is status `error`
with a detail that names it.

A batched function (`RewardKind.batched`) is called once for many checks. Each argument is then a list with one
entry per check, filled for each row as above, and the answer is a list of the same length. A group function
(`RewardKind.group`) is called in the same way with all answers to one prompt.
"""

import asyncio
import inspect
import math
import numbers
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from rewards.records import RewardResult, RewardSpec, Row, Span, prompt_text
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


def call(kind: RewardKind, spec: RewardSpec, row: Row) -> RewardResult:
    """Run one check in this thread. Async functions get an event loop of their own."""
    started = time.perf_counter()
    try:
        given = kind.function(**collect_arguments(kind, spec, row))
        if inspect.isawaitable(given):
            given = asyncio.run(_finish(given))
    except Exception as error:
        return failure(kind.name, error, time.perf_counter() - started)
    return coerce(kind.name, given, time.perf_counter() - started, _response(row))


async def call_async(kind: RewardKind, spec: RewardSpec, row: Row) -> RewardResult:
    """Run one check of an async function on the running loop."""
    started = time.perf_counter()
    try:
        given = await kind.function(**collect_arguments(kind, spec, row))
    except Exception as error:
        return failure(kind.name, error, time.perf_counter() - started)
    return coerce(kind.name, given, time.perf_counter() - started, _response(row))


def call_batch(kind: RewardKind, checks: Sequence[tuple[RewardSpec, Row]]) -> list[RewardResult] | None:
    """Run one call of a batched function; results in the order of `checks`.

    A check whose arguments cannot be collected is an error of its own and takes no part in the call. An answer
    that is no list of the right length is an error of every check. None when the function raised on more than
    one check: the caller repeats them one by one, so that one bad row does not cost the others. A group cannot be
    taken apart: what its function raised is the error of every check.
    `latency_s` is the time of the whole call.
    """
    started = time.perf_counter()
    arguments = _collect_many(kind, checks)
    size = sum(isinstance(one, dict) for one in arguments)
    if not size:
        return _results_of(kind, checks, arguments, [], started)
    try:
        given = kind.function(**_as_lists(kind, arguments))
        if inspect.isawaitable(given):
            given = asyncio.run(_finish(given))
    except Exception as error:
        if size > 1 and not kind.group:
            return None
        return _results_of(kind, checks, arguments, error, started)
    return _results_of(kind, checks, arguments, given, started)


async def call_group_async(kind: RewardKind, checks: Sequence[tuple[RewardSpec, Row]]) -> list[RewardResult]:
    """Run one call of an async group function on the running loop; otherwise as `call_batch`."""
    started = time.perf_counter()
    arguments = _collect_many(kind, checks)
    given: Any = []
    if any(isinstance(one, dict) for one in arguments):
        try:
            given = await kind.function(**_as_lists(kind, arguments))
        except Exception as error:
            given = error
    return _results_of(kind, checks, arguments, given, started)


def coerce(kind: str, given: Any, latency_s: float = 0.0, response: str = "") -> RewardResult:
    """float, int, bool, numpy scalar, None or RewardResult -> RewardResult; else status `error`.

    Spans must lie within the response; those of a result that is not `ok` are dropped.
    """
    if isinstance(given, RewardResult):
        checked = coerce(kind, given.value, latency_s) if given.status == "ok" else given
        detail = given.detail if checked.status == given.status else checked.detail
        spans = tuple(given.spans) if checked.status == "ok" else ()
        problem = next(filter(None, (span_problem(span, len(response)) for span in spans)), None)
        if problem:
            return RewardResult(kind, None, "error", problem[:_MAX_DETAIL], latency_s)
        spans = tuple(Span(int(s.start), int(s.end), float(s.value), str(s.label)) for s in spans)
        return RewardResult(kind, checked.value, checked.status, detail[:_MAX_DETAIL], latency_s, spans)
    if given is None:
        return RewardResult(kind, None, "not_applicable", "", latency_s)
    if not isinstance(given, numbers.Real) and type(given).__name__ not in ("bool_", "bool"):
        reason = f"returned {type(given).__name__}; return a float, None or a RewardResult"
        return RewardResult(kind, None, "error", reason, latency_s)
    value = float(given)
    if not math.isfinite(value):
        return RewardResult(kind, None, "error", f"returned {value}; a reward must be finite", latency_s)
    return RewardResult(kind, value, "ok", "", latency_s)


def span_problem(span: Any, length: int) -> str:
    """What is wrong with a span of a response of so many characters, in a sentence; empty when nothing is."""
    if not isinstance(span, Span):
        return f"marked {span!r:.80}; a span is a rewards.Span(start, end, value)"
    whole = all(isinstance(place, numbers.Integral) for place in (span.start, span.end))
    if not whole or not 0 <= span.start < span.end <= length:
        return (
            f"marked characters {span.start!r} to {span.end!r} of a response of {length}; a span needs 0 <= start < "
            "end <= its length, counted in the whole response"
        )
    if not isinstance(span.value, numbers.Real) or not math.isfinite(span.value):
        return f"gave characters {span.start} to {span.end} the value {span.value!r}; a span's value must be finite"
    return ""


def failure(kind: str, error: BaseException, latency_s: float = 0.0) -> RewardResult:
    """The result of a check that raised: status `error`, with the class and the text of the exception."""
    detail = f"{type(error).__name__}: {error}"
    return RewardResult(kind, None, "error", detail[:_MAX_DETAIL], latency_s)


def _collect_many(kind: RewardKind, checks: Sequence[tuple[RewardSpec, Row]]) -> list[dict[str, Any] | RewardResult]:
    """For each check its arguments, defaults included, or the error that keeps it out of the call."""
    found: list[dict[str, Any] | RewardResult] = []
    for spec, row in checks:
        try:
            found.append(_with_defaults(kind, collect_arguments(kind, spec, row)))
        except ValueError as error:
            found.append(failure(kind.name, error))
    return found


def _as_lists(kind: RewardKind, arguments: Sequence[dict[str, Any] | RewardResult]) -> dict[str, list[Any]]:
    collected = [one for one in arguments if isinstance(one, dict)]
    return {name: [one[name] for one in collected] for name in _parameters(kind.function)}


def _results_of(
    kind: RewardKind,
    checks: Sequence[tuple[RewardSpec, Row]],
    arguments: Sequence[dict[str, Any] | RewardResult],
    given: Any,
    started: float,
) -> list[RewardResult]:
    """What the function gave (or raised), dealt to the checks that took part in the call."""
    latency_s, size = time.perf_counter() - started, sum(isinstance(one, dict) for one in arguments)
    raised = isinstance(given, Exception)
    answers = iter([failure(kind.name, given)] * size if raised else _as_answers(kind.name, given, size))
    return [
        coerce(kind.name, next(answers), latency_s, _response(row)) if isinstance(one, dict) else one
        for one, (_, row) in zip(arguments, checks, strict=True)
    ]


def _with_defaults(kind: RewardKind, arguments: dict[str, Any]) -> dict[str, Any]:
    parameters = _parameters(kind.function)
    return {name: arguments.get(name, p.default) for name, p in parameters.items()}


def _as_answers(kind: str, given: Any, size: int) -> Sequence[Any]:
    """The answer of a batched function, or the same error for every check when it is not one per check."""
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__len__") or not hasattr(given, "__getitem__"):
        reason = f"returned {type(given).__name__} for {size} checks; a batched reward returns a list, one entry each"
    elif len(given) != size:
        reason = f"returned {len(given)} values for {size} checks; a batched reward returns one entry for each"
    else:
        return list(given)
    return [RewardResult(kind, None, "error", reason)] * size


def _response(row: Row) -> str:
    response = row.get("response")
    return response if isinstance(response, str) else ""


async def _finish(awaitable: Any) -> Any:
    return await awaitable


@lru_cache(maxsize=512)
def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: p for name, p in parameters.items() if p.kind is not p.VAR_POSITIONAL}


def _lookup(name: str, spec: RewardSpec, row: Row) -> Any:
    if name in spec.args or name not in ("row", "prompt"):
        return spec.argument(name, row, _MISSING)
    if name == "row":
        return row
    text = prompt_text(row)
    return _MISSING if text is None else text
