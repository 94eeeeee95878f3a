"""Pools: right scores, right statuses, and full capacity again after a check hung, died or froze."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from rewards import PoolSettings, RewardError, RewardPools, RewardSpec, reward

PLUGIN = Path(__file__).parent / "plugin_for_pools.py"
CODE = {"mode": "call", "entry": "f", "cases": [{"args": [10], "expected": 4}, {"args": [1], "expected": 2}]}


@dataclass(frozen=True)
class Question:
    """A prompt as the pools need it (`rewards.records.Scorable`)."""

    specs: tuple[RewardSpec, ...]
    columns: Mapping[str, Any]


@pytest.fixture(scope="module")
def pools(local_ray: None) -> Iterator[RewardPools]:
    plugins = [f"{PLUGIN}:moody", f"{PLUGIN}:slow_async", f"{PLUGIN}:caged"]
    with RewardPools({"moody": PoolSettings(workers=2)}, plugins, run_name="test") as started:
        yield started


def row(kind: str, response: str, **args: Any) -> dict[str, Any]:
    return {"id": response, "response": response, "rewards": [{"kind": kind, "args": args}]}


def statuses(pools: RewardPools, kind: str, responses: list[str]) -> list[str]:
    return [score.components[0].status for score in pools.score_rows([row(kind, text) for text in responses])]


def test_the_kinds_of_one_row_are_mixed(pools: RewardPools) -> None:
    rewards = [
        {"kind": "chrf", "weight": 3.0, "args": {"reference": "Das ist ein Haus."}},
        {"kind": "exact_match", "weight": 1.0, "args": {"reference": "Das ist mein Haus."}},
        {"kind": "direction", "args": {"source": "en", "target": "de"}},
    ]
    german = {"id": "g", "response": "Das ist ein Haus.", "rewards": rewards}
    english = {"id": "e", "response": "This is a house, and it is not German at all.", "rewards": rewards}
    first, second = pools.score_rows([german, english])
    assert first.reward == pytest.approx(0.75)
    assert [c.kind for c in first.components] == ["chrf", "exact_match", "direction"]
    assert second.reward == 0.0 and (second.components[0].value or 0) > 0


def test_math_code_and_constraints_through_their_pools(pools: RewardPools) -> None:
    rows = [
        row("math", "so it is \\boxed{7}", gold="7"),
        row("code", "```python\ndef f(n):\n    return 4\n```", **CODE),
        row("constraints", "no comma", instructions=[{"id": "punctuation:no_comma"}]),
    ]
    assert [score.reward for score in pools.score_rows(rows)] == [1.0, 0.5, 1.0]


def test_order_is_kept_over_thousands_of_checks(pools: RewardPools) -> None:
    rows = [row("moody", f"r{i}", level=i) for i in range(3000)]
    started = time.monotonic()
    scores = pools.score_rows(rows)
    assert [score.reward for score in scores] == [float(i) for i in range(3000)]
    assert time.monotonic() - started < 30


def test_answers_to_prompts_are_scored_in_their_order(pools: RewardPools) -> None:
    house = Question((RewardSpec("exact_match"), RewardSpec("repetition")), {"id": "h", "reference": "Haus"})
    tree = Question((RewardSpec("exact_match", args={"reference": "Baum"}),), {"id": "t"})
    scores = asyncio.run(pools.score_many([(house, "Haus"), (tree, "Haus"), (tree, "Baum"), (house, "Hut")]))
    assert [(score.id, score.reward) for score in scores] == [("h", 1.0), ("t", 0.0), ("t", 1.0), ("h", 0.0)]
    assert [c.kind for c in scores[0].components] == ["exact_match", "repetition"]


def test_a_gate_of_the_row_s_own_choice(pools: RewardPools) -> None:
    rewards = [{"kind": "moody", "args": {"level": 0.2}, "gate": True}, {"kind": "slow_async"}]
    assert pools.score_rows([{"id": "x", "response": "", "rewards": rewards}])[0].reward == 0.0


def test_a_raise_and_a_nan_are_errors_and_the_reward_is_none(pools: RewardPools) -> None:
    score = pools.score_rows([row("moody", "raise")])[0]
    assert score.reward is None
    assert "in a bad mood" in score.components[0].detail
    assert statuses(pools, "moody", ["nan", "fine"]) == ["error", "ok"]


def test_a_hanging_check_times_out_alone(pools: RewardPools) -> None:
    responses = ["fine"] * 20 + ["hang"] + ["fine"] * 20
    assert statuses(pools, "moody", responses) == ["ok"] * 20 + ["timeout"] + ["ok"] * 20
    assert statuses(pools, "moody", ["fine"] * 40) == ["ok"] * 40


def test_a_check_that_kills_its_worker_is_charged_alone_and_the_worker_replaced(pools: RewardPools) -> None:
    assert statuses(pools, "moody", ["fine"] * 5 + ["die"] + ["fine"] * 5) == ["ok"] * 5 + ["error"] + ["ok"] * 5
    assert statuses(pools, "moody", ["fine"] * 10) == ["ok"] * 10


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_worker_that_somebody_ends_or_stops_is_replaced_and_its_checks_are_repeated(
    pools: RewardPools, number: signal.Signals
) -> None:
    pools.start(["moody"])
    process = next(iter(pools._pools["moody"]._processes.values()))
    before = pools.restarts
    os.kill(process.pid, number)
    began = time.monotonic()
    assert statuses(pools, "moody", ["fine"] * 8) == ["ok"] * 8
    print(f"{number.name}: {time.monotonic() - began:.1f} s")
    assert pools.restarts == before + 1
    assert not psutil.pid_exists(process.pid)


def test_a_stopped_worker_is_not_waited_for_as_long_as_a_check_may_take(local_ray: None) -> None:
    settings = {"moody": PoolSettings(timeout_s=120)}
    with RewardPools(settings, [f"{PLUGIN}:moody"], run_name="patient") as patient:
        patient.start(["moody"])
        process = next(iter(patient._pools["moody"]._processes.values()))
        os.kill(process.pid, signal.SIGSTOP)
        began = time.monotonic()
        assert statuses(patient, "moody", ["fine"] * 8) == ["ok"] * 8
        assert time.monotonic() - began < 60  # a ping alone would have 123 s


def test_an_isolated_reward_that_freezes_or_dies_costs_its_child_only(pools: RewardPools) -> None:
    pools.start(["caged"])
    started = time.monotonic()
    assert statuses(pools, "caged", ["fine", "freeze", "die", "fine"]) == ["ok", "timeout", "error", "ok"]
    assert time.monotonic() - started < 10


def test_a_hanging_kind_does_not_hold_up_another(pools: RewardPools) -> None:
    async def both() -> float:
        hanging = asyncio.ensure_future(pools.score_rows_async([row("moody", "hang"), row("moody", "hang")]))
        started = time.monotonic()
        await pools.score(Question((RewardSpec("chrf", args={"reference": "x"}),), {"id": "q"}), "x")
        elapsed = time.monotonic() - started
        await hanging
        return elapsed

    assert asyncio.run(both()) < 1.0


def test_async_rewards_run_together(pools: RewardPools) -> None:
    pools.start(["slow_async"])
    started = time.monotonic()
    assert statuses(pools, "slow_async", [str(i) for i in range(20)]) == ["ok"] * 20
    assert time.monotonic() - started < 5  # one after another they take 10 s


def test_a_reward_of_the_user_s_main_script_travels_to_the_workers(pools: RewardPools) -> None:
    def half(response: str) -> float:
        return 0.5

    half.__module__ = "__main__"
    reward("half_of_main")(half)
    assert pools.score_rows([row("half_of_main", "x")])[0].reward == 0.5
    reward("caged_in_main", isolated=True)(half)
    assert "plug-in" in pools_error(pools, row("caged_in_main", "x"))


def pools_error(pools: RewardPools, bad: dict[str, Any]) -> str:
    with pytest.raises(RewardError) as caught:
        pools.score_rows([bad])
    return str(caught.value)


def test_a_row_without_rewards_is_named(pools: RewardPools) -> None:
    assert "'lonely'" in pools_error(pools, {"id": "lonely", "response": "x"})


def test_an_unknown_kind_is_an_error_of_the_component(pools: RewardPools) -> None:
    score = pools.score_rows([row("chfr", "x", reference="x")])[0]
    assert score.reward is None and "'chrf'" in score.components[0].detail


def test_statistics_count_by_kind_and_status(pools: RewardPools) -> None:
    statuses(pools, "moody", ["fine", "raise"])
    stats = pools.stats()["moody"]
    assert stats["counts"]["ok"] >= 1 and stats["counts"]["error"] >= 1
    assert stats["mean_s"] >= 0 and stats["p99_s"] <= 60


def test_actors_are_named_by_run_and_kind(pools: RewardPools) -> None:
    pools.score_rows([row("chrf", "x", reference="x")])
    assert ray.get_actor("dragoman/test/reward-chrf/0") is not None


def test_pools_work_inside_an_asyncio_actor(local_ray: None) -> None:
    @ray.remote(num_cpus=0)
    class Controller:
        async def run(self, rows: list[dict[str, Any]]) -> list[float | None]:
            inner = RewardPools(run_name="inside")
            await inner.start_async(["exact_match"])
            scores = await inner.score_rows_async(rows)
            inner.close()
            return [score.reward for score in scores]

    rows = [row("exact_match", text, reference="a") for text in ("a", "b")]
    assert ray.get(Controller.remote().run.remote(rows), timeout=120) == [1.0, 0.0]


def test_two_runs_of_one_name_do_not_collide_and_closed_pools_say_so(local_ray: None) -> None:
    first, second = RewardPools(run_name="twice"), RewardPools(run_name="twice")
    rows = [row("exact_match", "a", reference="a")]
    assert [p.score_rows(rows)[0].reward for p in (first, second)] == [1.0, 1.0]
    first.close()
    with pytest.raises(RewardError, match="closed"):
        first.score_rows(rows)
    assert second.score_rows(rows)[0].reward == 1.0
    second.close()


def test_settings_of_an_unknown_kind_are_refused(local_ray: None) -> None:
    with pytest.raises(RewardError, match="'chrf'"):
        RewardPools({"chfr": PoolSettings()})


def test_where_code_cannot_be_isolated_the_start_is_refused(local_ray: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from rewards.sandbox import launcher

    monkeypatch.setattr(launcher.shutil, "which", lambda name: None)
    with pytest.raises(RewardError, match="bubblewrap"):
        launcher.prepare_launch()
