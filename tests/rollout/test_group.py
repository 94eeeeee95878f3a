"""The calls between controller and engines, with real actors around a worker that only sleeps."""

import asyncio

import pytest

from dragoman.rollout import Completion, RolloutGroup, RolloutSettings, SamplingSettings
from dragoman.rollout import group as group_module
from dragoman.rollout.group import RolloutFailure


def sleeping_worker():
    """A class of its own for each call, so that it travels to Ray by value."""

    class Worker:
        def __init__(self, folder, settings, context):
            self.calls = 0

        async def generate_group(self, prompt_ids, sampling, seeds):
            self.calls += 1
            for place in reversed(range(len(seeds))):
                await asyncio.sleep(prompt_ids[0] * 0.01)
                yield place, Completion((seeds[place],), (-1.0,), f"call {self.calls}", "stop", 0, 0)

        async def count(self):
            return self.calls

        async def shutdown(self): ...

    return Worker


@pytest.fixture
def rollout(ray_cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(group_module, "RolloutWorker", sleeping_worker())
    made = RolloutGroup(tmp_path, RolloutSettings(workers=2, cpus_per_worker=0.1, deadline_s=10.0), 32, tmp_path.name)
    yield made
    made.close()


async def answers(rollout, prompt, seeds):
    loop = asyncio.get_running_loop()
    asked = rollout.generate_group(prompt, SamplingSettings(4), seeds)
    return [(place, answer, loop.time()) async for place, answer in asked]


def test_a_group_is_one_call_whose_answers_arrive_as_they_end(rollout):
    async def scenario():
        await answers(rollout, [0], [1])  # the actor has started
        found = await answers(rollout, [20], [5, 6, 7])
        return found, await rollout._all("count")

    found, calls = asyncio.run(scenario())
    assert [(place, answer.token_ids) for place, answer, _ in found] == [(2, (7,)), (1, (6,)), (0, (5,))]
    assert found[-1][2] - found[0][2] > 0.2  # not all at once, at the end
    assert sorted(calls) == [0, 2] and {answer.text for _, answer, _ in found} == {"call 2"}
    assert rollout.running == [0, 0]


def test_a_group_goes_to_the_worker_with_the_least_answers_in_hand(rollout):
    async def scenario():
        await asyncio.gather(*(answers(rollout, [10], [1] * size) for size in (6, 2, 3, 1)))
        return await rollout._all("count")

    assert asyncio.run(scenario()) == [1, 3]
    assert rollout.running == [0, 0]


def test_a_group_that_takes_too_long_is_named_and_given_up(rollout):
    object.__setattr__(rollout.settings, "deadline_s", 1.0)
    with pytest.raises(RolloutFailure, match=r"rollout/0 generate_group did not finish within 1 s"):
        asyncio.run(answers(rollout, [500], [1, 2]))
    assert rollout.running == [0, 0]


def test_a_dead_worker_is_a_rollout_failure(rollout):
    import ray

    async def scenario():
        await answers(rollout, [0], [1])
        ray.kill(rollout.actors[0])
        await answers(rollout, [0], [1])

    with pytest.raises(RolloutFailure, match="the worker died"):
        asyncio.run(scenario())
