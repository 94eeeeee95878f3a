"""Injection by name, and what becomes of whatever a reward function gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rewards.calling import call, missing_arguments, unknown_arguments
from rewards.records import RewardResult, RewardSpec
from rewards.registry import RewardKind

ROW = {
    "id": "r1",
    "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "last"},
    ],
    "response": "answer",
    "source": "column",
}


def run(function: Any, args: dict[str, Any] | None = None, row: dict[str, Any] | None = None) -> RewardResult:
    return call(RewardKind("k", function), RewardSpec("k", args=args or {}), row or ROW)


def test_arguments_are_injected_by_name() -> None:
    seen: dict[str, Any] = {}

    def function(response: str, prompt: str, messages: list[Any], row: Any, source: str, level: int = 3) -> float:
        seen.update(response=response, prompt=prompt, n=len(messages), id=row["id"], source=source, level=level)
        return 1.0

    assert run(function).value == 1.0
    assert seen == {
        "response": "answer",
        "prompt": "last",
        "n": 3,
        "id": "r1",
        "source": "column",
        "level": 3,
    }


def test_the_spec_wins_over_the_column() -> None:
    assert run(lambda response, source: float(source == "spec"), {"source": "spec"}).value == 1.0


def test_prompt_may_be_a_plain_text_or_a_chat_list() -> None:
    check = lambda response, prompt: float(prompt == "hello")  # noqa: E731
    assert run(check, row={"id": 1, "prompt": "hello", "response": ""}).value == 1.0
    assert run(check, row={"id": 1, "prompt": [{"role": "user", "content": "hello"}], "response": ""}).value == 1.0


async def asynchronous(response: str) -> float:
    return 0.25


def test_async_functions_are_awaited() -> None:
    assert run(asynchronous).value == 0.25


@pytest.mark.parametrize(
    ("given", "value"), [(True, 1.0), (False, 0.0), (2, 2.0), (np.float32(0.5), 0.5), (np.bool_(True), 1.0)]
)
def test_numbers_of_every_kind_are_accepted(given: Any, value: float) -> None:
    result = run(lambda response: given)
    assert (result.status, result.value) == ("ok", value)


def test_none_means_not_applicable() -> None:
    assert run(lambda response: None).status == "not_applicable"


def test_a_result_keeps_its_detail_and_gets_the_kind_and_the_latency() -> None:
    result = run(lambda response: RewardResult("other", 0.5, "ok", "why"))
    assert (result.kind, result.value, result.detail) == ("k", 0.5, "why")
    assert result.latency_s > 0


@pytest.mark.parametrize(
    ("given", "word"),
    [(float("nan"), "nan"), (float("inf"), "inf"), ("1.0", "str"), ([1.0], "list"), ({}, "dict")],
)
def test_anything_else_is_an_error_that_names_it(given: Any, word: str) -> None:
    result = run(lambda response: given)
    assert (result.status, result.value) == ("error", None)
    assert word in result.detail


def test_nan_inside_a_result_is_an_error_too() -> None:
    assert run(lambda response: RewardResult("k", float("nan"))).status == "error"


def test_an_exception_becomes_a_status_with_type_and_message() -> None:
    def broken(response: str) -> float:
        raise KeyError("colour")

    result = run(broken)
    assert (result.status, result.value) == ("error", None)
    assert "KeyError" in result.detail and "colour" in result.detail


def test_a_missing_column_is_named() -> None:
    kind = RewardKind("k", lambda response, reference, extra=1: 1.0)
    assert missing_arguments(kind, RewardSpec("k"), ROW) == ["reference"]
    result = call(kind, RewardSpec("k"), ROW)
    assert result.status == "error" and "'reference'" in result.detail and "'r1'" in result.detail


def test_arguments_that_the_function_does_not_take_are_found() -> None:
    assert unknown_arguments(RewardKind("k", lambda response: 1.0), RewardSpec("k", args={"gold": 1})) == ["gold"]
    takes_all = RewardKind("k", lambda response, **rest: float(rest["gold"]))
    assert unknown_arguments(takes_all, RewardSpec("k", args={"gold": 1})) == []
    assert call(takes_all, RewardSpec("k", args={"gold": 1}), ROW).value == 1.0
