"""Rewards written for other trainers, run as they are.

Which trainer a function was written for is read off its parameters:

| parameters | trainer | called with | gives |
|---|---|---|---|
| `completions` | TRL | lists: prompts, completions, the row's columns | list of float or None |
| `solution_str` | verl | data_source, solution_str, ground_truth, extra_info | float, or a dict with `score` |
| `queries` | OpenRLHF | lists: queries (prompt + response), prompts, labels | tensor, list, or a dict with `rewards` |
| `completion` | verifiers (rubric functions) | prompt, completion, answer, state, info, task by name | float |

A function that takes `response` is this project's own and is left alone. The signature of the adapted function
lists the columns that the original needs, so that a row without them is refused at load time.
"""

import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rewards.errors import PluginError
from rewards.records import RewardResult, Row

Style = Literal["native", "trl", "verl", "openrlhf", "verifiers"]
Function = Callable[..., Any]

RESERVED = frozenset({"id", "prompt", "messages", "response", "rewards"})
"""Columns of a row that every trainer names in its own way."""
_TRL_OWN = frozenset({"prompts", "completions", "trainer_state", "log_extra", "log_metric"})
_VERIFIERS_OWN = frozenset({"prompt", "completion", "state", "info", "task"})


@dataclass(frozen=True)
class Adapted:
    """A foreign function as this project calls it."""

    function: Function
    style: Style
    batched: bool


def adapt(function: Function) -> Adapted:
    """The function as it is, or wrapped for its style; PluginError when it needs what a text reward has not."""
    names = set(inspect.signature(function).parameters)
    for mark, style, wrap, batched in _STYLES if "response" not in names else ():
        if mark in names:
            return Adapted(wrap(function), style, batched)
    return Adapted(function, "native", False)


def _from_trl(function: Function) -> Function:
    named, open_ended = _named(function)
    if "completion_ids" in named and named["completion_ids"].default is inspect.Parameter.empty:
        raise PluginError(
            f"{_label(function)} needs completion_ids (token ids), but rewards here see text; give that parameter a "
            "default, or compute from `completions`"
        )
    columns = {name: p for name, p in named.items() if name not in _TRL_OWN | {"completion_ids"}}

    def adapted(row: Sequence[Row], **lists: Any) -> Any:
        given = {"prompts": [_prompt(one) for one in row], "completions": [_completion(one) for one in row], **lists}
        if open_ended:
            given = {**{name: [one[name] for one in row] for name in _shared_columns(row)}, **given}
        extras = {"trainer_state": None, "log_extra": _ignore_log, "log_metric": _ignore_log}
        given |= {name: value for name, value in extras.items() if open_ended or name in named}
        return function(**given)

    return _signed(adapted, function, columns)


def _from_verl(function: Function) -> Function:
    def adapted(row: Row, ground_truth: Any = None, data_source: str = "", extra_info: Any = None) -> Any:
        truth = ground_truth
        if truth is None:
            truth = (row.get("reward_model") or {}).get("ground_truth")
        if truth is None:
            raise ValueError("the row has neither a column 'ground_truth' nor 'reward_model.ground_truth'")
        named, open_ended = _named(function)
        given = {"data_source": data_source, "ground_truth": truth, "extra_info": extra_info or {}}
        known = {name: value for name, value in given.items() if open_ended or name in named}
        return _read_verl(function, function(solution_str=row["response"], **known))

    functools.update_wrapper(adapted, function)
    adapted.__signature__ = inspect.signature(adapted, follow_wrapped=False)  # type: ignore[attr-defined]
    return adapted


def _read_verl(function: Function, given: Any) -> Any:
    if inspect.isawaitable(given):
        return _then(given, functools.partial(_read_verl, function))
    if not isinstance(given, Mapping):
        return given
    if "score" not in given:
        raise ValueError(f"{_label(function)} returned a dict without 'score': {sorted(given)}")
    extras = {name: value for name, value in given.items() if name != "score"}
    return RewardResult("", float(given["score"]), "ok", json.dumps(extras, default=str) if extras else "")


def _from_openrlhf(function: Function) -> Function:
    def adapted(row: Sequence[Row], label: Sequence[Any]) -> Any:
        prompts = [_prompt_text(one) for one in row]
        queries = [prompt + one["response"] for prompt, one in zip(prompts, row, strict=True)]
        given = function(queries, prompts, list(label))
        values = given["rewards"] if isinstance(given, Mapping) else given
        return [float(value) for value in getattr(values, "tolist", lambda: values)()]

    parameter = inspect.Parameter("label", inspect.Parameter.KEYWORD_ONLY, default=None)
    return _signed(adapted, function, {"label": parameter})


def _from_verifiers(function: Function) -> Function:
    named, open_ended = _named(function)
    if "parser" in named and named["parser"].default is inspect.Parameter.empty:
        raise PluginError(
            f"{_label(function)} needs a verifiers Parser; give `parser` a default, or parse `completion` itself"
        )
    columns = {name: p for name, p in named.items() if name not in _VERIFIERS_OWN | {"parser"}}

    def adapted(row: Row, **values: Any) -> Any:
        own = {
            "prompt": _prompt(row),
            "completion": _completion(row),
            "state": dict(row),
            "info": row.get("info") or {},
            "task": row.get("task") or "default",
        }
        if open_ended:
            own |= {name: value for name, value in row.items() if name not in RESERVED | own.keys()}
        return function(**{n: v for n, v in own.items() if open_ended or n in named} | values)

    return _signed(adapted, function, columns)


def _signed(adapted: Function, function: Function, columns: Mapping[str, inspect.Parameter]) -> Function:
    """Give the wrapper the original's name, and a signature that asks for the row and the original's columns."""
    functools.update_wrapper(adapted, function)
    row = inspect.Parameter("row", inspect.Parameter.KEYWORD_ONLY)
    asked = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in columns.values()]
    adapted.__signature__ = inspect.Signature([row, *asked])  # type: ignore[attr-defined]
    return adapted


def _named(function: Function) -> tuple[dict[str, inspect.Parameter], bool]:
    """Named parameters, and whether the function also takes **kwargs."""
    parameters = inspect.signature(function).parameters
    named = {n: p for n, p in parameters.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _shared_columns(rows: Sequence[Row]) -> list[str]:
    """Columns that every row of a batch has, the reserved ones apart."""
    shared = set.intersection(*(set(row) for row in rows)) - RESERVED
    return sorted(name for name in shared if name not in _TRL_OWN)


def _prompt(row: Row) -> Any:
    """The messages of a conversation, or the plain prompt."""
    return list(row["messages"]) if row.get("messages") else row.get("prompt", "")


def _completion(row: Row) -> Any:
    """One assistant message for a conversation, or plain text."""
    return [{"role": "assistant", "content": row["response"]}] if row.get("messages") else row["response"]


def _prompt_text(row: Row) -> str:
    if not row.get("messages"):
        return str(row.get("prompt", ""))
    return "".join(str(message.get("content", "")) + "\n" for message in row["messages"])


def _ignore_log(*_: Any, **__: Any) -> None:
    """TRL's log_extra and log_metric: there is no trainer to log to; the values themselves are logged anyway."""


async def _then(awaitable: Any, read: Callable[[Any], Any]) -> Any:
    return read(await awaitable)


def _label(function: Function) -> str:
    return f"{function.__module__}:{function.__qualname__}"


_STYLES: tuple[tuple[str, Style, Callable[[Function], Function], bool], ...] = (
    ("completions", "trl", _from_trl, True),
    ("solution_str", "verl", _from_verl, False),
    ("queries", "openrlhf", _from_openrlhf, True),
    ("completion", "verifiers", _from_verifiers, False),
)
"""The parameter by which a trainer is told, its name, the wrapper, whether that takes many answers at once"""
