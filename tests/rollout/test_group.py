"""The calls between controller and engines, with real actors around a worker that only sleeps."""

import asyncio
import os
import signal
import time

import pytest

from dragoman.actors import this_process
from dragoman.rollout import Completion, RolloutGroup, RolloutSettings, SamplingSettings
from dragoman.rollout import fleet as fleet_module
from dragoman.rollout.failures import PoisonPrompt, RolloutFailure

POISON, ASLEEP = 666, -1
"""A prompt of this token kills its worker"""


def sleeping_worker():
    """A class of its own for each call, so that it travels to Ray by value."""

    class Worker:
        def __init__(self, folder, settings, context):
            self.calls = 0
            self.own = this_process()

        async def start(self):
            await asyncio.sleep(1.0)

        async def sleep(self):
            self.calls = ASLEEP

        async def process(self):
            return self.own

        async def ping(self):
            return 0.0

        async def generate_each(self, prompts, sampling, seeds, gather_s):
            self.calls += 1
            if prompts[0][0] == POISON:
                os._exit(1)
            for place in reversed(range(len(seeds))):
                await asyncio.sleep(prompts[place][0] * 0.01)
                yield [(place, Completion((seeds[place],), (-1.0,), f"call {self.calls}", "stop", 0, 0))]

        async def count(self):
            return self.calls

        async def shutdown(self): ...

    return Worker


@pytest.fixture
def rollout(ray_cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(fleet_module, "RolloutWorker", sleeping_worker())
    settings = RolloutSettings(workers=2, cpus_per_worker=0.1, deadline_s=60.0, health_deadline_s=4.0)
    made = RolloutGroup(tmp_path, settings, 32, tmp_path.name)
    yield made
    made.close()


async def answers(rollout, prompt, seeds):
    loop = asyncio.get_running_loop()
    asked = rollout.generate_group(prompt, SamplingSettings(4), seeds)
    return [(place, answer, loop.time()) async for place, answer in asked]


def serve(rollout, scenario):
    """Run a scenario with a fleet that has been started."""

    async def started():
        await rollout.start()
        return await scenario()

    return asyncio.run(started())


async def counts(rollout):
    return await rollout.fleet.all(rollout.fleet.serving, "count")


def running(rollout):
    return [worker.running for worker in rollout.fleet.workers]


def test_a_group_is_one_call_whose_answers_arrive_as_they_end(rollout):
    async def scenario():
        await answers(rollout, [0], [1])
        found = await answers(rollout, [20], [5, 6, 7])
        return found, await counts(rollout)

    found, calls = serve(rollout, scenario)
    assert [(place, answer.token_ids) for place, answer, _ in found] == [(2, (7,)), (1, (6,)), (0, (5,))]
    assert found[-1][2] - found[0][2] > 0.2  # not all at once, at the end
    assert sorted(calls) == [0, 2] and {answer.text for _, answer, _ in found} == {"call 2"}
    assert running(rollout) == [0, 0]


@pytest.fixture
def impatient(ray_cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(fleet_module, "RolloutWorker", sleeping_worker())
    settings = RolloutSettings(workers=1, cpus_per_worker=0.1, deadline_s=8.0, health_deadline_s=20.0)
    made = RolloutGroup(tmp_path, settings, 32, tmp_path.name)
    yield made
    made.close()


def test_a_worker_that_is_slow_but_gives_answers_is_kept(impatient):
    """Answers come a second apart, so the call takes longer than the deadline."""

    async def scenario():
        many = impatient.generate_many([[100]] * 11, SamplingSettings(4), range(11))
        return await many

    found = serve(impatient, scenario)
    assert [answer.token_ids for answer in found] == [(seed,) for seed in range(11)] and impatient.restarts == 0


def test_a_worker_that_gives_no_answer_within_the_deadline_is_replaced(impatient, capsys):
    async def scenario():
        asked = asyncio.create_task(answers(impatient, [10_000], [1]))
        await impatient.fleet.until(lambda: impatient.restarts == 1)
        asked.cancel()

    serve(impatient, scenario)
    assert "rollout/0: generate_each took longer than 8 s; another worker starts" in capsys.readouterr().out


def test_a_worker_that_somebody_stopped_is_not_waited_for_as_long_as_one_may_be_silent(impatient, capsys):
    object.__setattr__(impatient.settings, "health_deadline_s", 300.0)

    async def scenario():
        await answers(impatient, [0], [1])
        began = time.monotonic()
        os.kill(impatient.fleet.workers[0].process.pid, signal.SIGSTOP)
        await impatient.fleet.until(lambda: impatient.restarts == 1)
        return time.monotonic() - began

    assert serve(impatient, scenario) < 60
    assert "rollout/0: was stopped, or has not answered for 300 s; another worker" in capsys.readouterr().out


def test_a_group_goes_to_the_worker_with_the_least_answers_in_hand(rollout):
    async def scenario():
        await asyncio.gather(*(answers(rollout, [10], [1] * size) for size in (6, 2, 3, 1)))
        return await counts(rollout)

    assert serve(rollout, scenario) == [1, 3]
    assert running(rollout) == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_answers_of_a_worker_that_is_lost_are_asked_again_with_their_seeds(rollout, number):
    async def scenario():
        asked = asyncio.create_task(answers(rollout, [100], [5, 6, 7]))
        await asyncio.sleep(1.5)  # one of three has come
        os.kill(rollout.fleet.workers[0].process.pid, number)
        found = await asked
        await rollout.fleet.until(lambda: len(rollout.fleet.serving) == 2)
        return found, await answers(rollout, [0], [9])

    found, after = serve(rollout, scenario)
    assert [(place, answer.token_ids) for place, answer, _ in found] == [(2, (7,)), (1, (6,)), (0, (5,))]
    assert after[0][1].token_ids == (9,)
    assert rollout.restarts == 1 and [w.name.endswith("~1") for w in rollout.fleet.workers] == [True, False]
    assert running(rollout) == [0, 0]


def test_a_prompt_that_kills_worker_after_worker_is_named_and_others_are_answered(rollout):
    async def scenario():
        poisoned = asyncio.create_task(answers(rollout, [POISON], [1]))
        good = await asyncio.gather(*(answers(rollout, [30], [n]) for n in range(4)))
        with pytest.raises(PoisonPrompt, match="4 rollout workers were lost over it, the last alone with it"):
            await poisoned
        return good

    assert [answer.token_ids for ((_, answer, _),) in serve(rollout, scenario)] == [(0,), (1,), (2,), (3,)]
    assert rollout.restarts == 4


def test_more_losses_than_the_recipe_allows_end_with_one_sentence(rollout):
    object.__setattr__(rollout.settings, "max_restarts", 1)

    async def scenario():
        await answers(rollout, [POISON], [1])

    with pytest.raises(RolloutFailure, match=r"lost 2 times in this run \(rollout.max_restarts is 1"):
        serve(rollout, scenario)


@pytest.fixture
def colocated(ray_cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(fleet_module, "RolloutWorker", sleeping_worker())
    settings = RolloutSettings(workers=1, cpus_per_worker=0.1, deadline_s=60.0, colocate=True)
    made = RolloutGroup(tmp_path, settings, 32, tmp_path.name)
    yield made
    made.close()


async def replaced(rollout, state):
    """The worker in the place of one that is lost, when it is in a state."""
    rollout.fleet.lose(rollout.fleet.workers[0], "died")
    await rollout.fleet.until(lambda: rollout.fleet.workers[0].state == state)
    return rollout.fleet.workers[0]


def test_no_engine_starts_while_the_learner_has_the_gpu(colocated):
    async def scenario():
        await colocated.sleep()
        assert await counts(colocated) == [ASLEEP]
        worker = await replaced(colocated, "waiting")
        await asyncio.sleep(3.0)  # it would have started
        before = worker.state
        colocated.fleet.wake()
        await colocated.fleet.until(lambda: worker.state == "serving")
        return before

    assert serve(colocated, scenario) == "waiting"


def test_sleep_waits_for_an_engine_that_is_starting_and_that_sleeps_too_until_the_next_sync(colocated):
    async def scenario():
        worker = await replaced(colocated, "starting")
        await colocated.sleep()
        up = worker.state
        await asyncio.sleep(0.5)
        return up, worker.state, await colocated.fleet.ask(worker, "count")

    assert serve(colocated, scenario) == ("joining", "joining", ASLEEP)
