"""Batched rewards: one call for many checks, and each check still answers for itself alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rewards import PoolSettings, RewardError, RewardPools, RewardResult, reward
from rewards.calling import call_batch
from rewards.execution.environments import python_of
from rewards.records import RewardSpec
from rewards.registry import RewardKind

PLUGIN = Path(__file__).parent / "plugin_for_pools.py"


def run(function: Any, rows: list[dict[str, Any]], args: list[dict[str, Any]] | None = None) -> Any:
    specs = [RewardSpec("k", args=given) for given in args or [{}] * len(rows)]
    return call_batch(RewardKind("k", function, batched=True), list(zip(specs, rows, strict=True)))


def rows_of(*responses: str) -> list[dict[str, Any]]:
    return [{"id": text, "prompt": f"say {text}", "response": text} for text in responses]


def test_every_argument_is_a_list_filled_row_by_row() -> None:
    seen: dict[str, Any] = {}

    def function(response: Any, prompt: Any, level: Any, bonus: Any = 7) -> list[float]:
        seen.update(response=response, prompt=prompt, level=level, bonus=bonus)
        return [1.0, 2.0]

    results = run(function, [{**row, "level": 3} for row in rows_of("a", "b")], [{}, {"level": 4, "bonus": 8}])
    assert seen == {"response": ["a", "b"], "prompt": ["say a", "say b"], "level": [3, 4], "bonus": [7, 8]}
    assert [(r.kind, r.value, r.status) for r in results] == [("k", 1.0, "ok"), ("k", 2.0, "ok")]


def test_numbers_none_and_results_may_be_mixed_and_nan_is_an_error() -> None:
    given = [0.5, None, RewardResult("x", 0.25, "ok", "why"), float("nan")]
    results = run(lambda response: given, rows_of("a", "b", "c", "d"))
    assert [r.status for r in results] == ["ok", "not_applicable", "ok", "error"]
    assert (results[2].value, results[2].detail) == (0.25, "why")


def test_a_missing_column_costs_its_own_row_only() -> None:
    rows = [{**row, **extra} for row, extra in zip(rows_of("a", "b"), ({}, {"gold": 1}), strict=True)]
    first, second = run(lambda response, gold: [float(len(response))], rows)
    assert first.status == "error" and "'gold'" in first.detail and "'a'" in first.detail
    assert second.value == 1.0


@pytest.mark.parametrize(("given", "words"), [([1.0], "1 values for 2"), (0.5, "float for 2"), ("ab", "str for 2")])
def test_an_answer_of_the_wrong_shape_is_an_error_of_every_check(given: Any, words: str) -> None:
    results = run(lambda response: given, rows_of("a", "b"))
    assert [r.status for r in results] == ["error", "error"]
    assert all(words in r.detail for r in results)


def test_a_raise_is_left_to_the_caller_unless_the_check_is_alone() -> None:
    def broken(response: Any) -> Any:
        raise KeyError("colour")

    assert run(broken, rows_of("a", "b")) is None
    assert "colour" in run(broken, rows_of("a"))[0].detail


async def asynchronous(response: list[str]) -> list[float]:
    return [float(len(text)) for text in response]


def test_async_batched_functions_are_awaited() -> None:
    assert [r.value for r in run(asynchronous, rows_of("a", "bb"))] == [1.0, 2.0]


def test_what_a_batched_reward_cannot_be() -> None:
    with pytest.raises(RewardError, match="isolated"):
        reward("bad", isolated=True, batched=True)(lambda response: [])
    with pytest.raises(RewardError, match="names its arguments"):
        reward("bad", batched=True)(lambda response, **rest: [])
    with pytest.raises(RewardError, match="batch_size is 0"):
        reward("bad", batched=True, batch_size=0)(lambda response: [])


def test_an_environment_that_is_not_there_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RewardError, match=r"make nowhere.*DRAGOMAN_NOWHERE_PYTHON"):
        python_of("nowhere")
    monkeypatch.setenv("DRAGOMAN_NOWHERE_PYTHON", "/opt/x/bin/python")
    assert str(python_of("nowhere")) == "/opt/x/bin/python"
    assert str(python_of("/opt/y/bin/python")) == "/opt/y/bin/python"


@pytest.fixture(scope="module")
def pools(local_ray: None) -> Iterator[RewardPools]:
    settings = {"summed": PoolSettings(arguments={"bonus": 2.0})}
    with RewardPools(settings, [f"{PLUGIN}:summed"], run_name="batched") as started:
        yield started


def scored(pools: RewardPools, responses: list[str], **args: Any) -> list[RewardResult]:
    spec = {"kind": "summed", "args": {"level": 1.0, **args}}
    rows = [{"id": str(i), "response": text, "rewards": [spec]} for i, text in enumerate(responses)]
    return [score.components[0] for score in pools.score_rows(rows)]


def test_order_is_kept_and_the_pool_s_arguments_fill_what_rows_leave_out(pools: RewardPools) -> None:
    spec = {"kind": "summed", "args": {}}
    rows = [{"id": str(i), "response": "x", "level": float(i), "rewards": [spec]} for i in range(25)]
    assert [score.reward for score in pools.score_rows(rows)] == [i + 2.0 for i in range(25)]
    assert scored(pools, ["x"], bonus=0.25)[0].value == 1.25


def test_a_row_that_raises_costs_no_other_row_of_its_batch(pools: RewardPools) -> None:
    results = scored(pools, ["x", "x", "raise", "x", "none"])
    assert [r.status for r in results] == ["ok", "ok", "error", "ok", "not_applicable"]
    assert "in a bad mood" in results[2].detail


def test_a_row_that_hangs_or_kills_the_worker_costs_no_other_row(pools: RewardPools) -> None:
    responses = ["x"] * 4 + ["hang"] + ["x"] * 4
    assert [r.status for r in scored(pools, responses)] == ["ok"] * 4 + ["timeout"] + ["ok"] * 4
    assert [r.status for r in scored(pools, ["x", "die", "x"])] == ["ok", "error", "ok"]


def test_a_short_answer_is_named(pools: RewardPools) -> None:
    results = scored(pools, ["short", "x", "x"])
    assert [r.status for r in results] == ["error"] * 3 and "1 values for 3" in results[0].detail


def test_settings_with_an_argument_that_the_kind_lacks_are_refused(local_ray: None) -> None:
    with pytest.raises(RewardError, match=r"'chrf'.*'modle'"):
        RewardPools({"chrf": PoolSettings(arguments={"modle": "x"})})
