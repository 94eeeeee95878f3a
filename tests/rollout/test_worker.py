"""What a worker asks of its engine, with an engine that only writes down what it is asked."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from dragoman.rollout import RolloutSettings, SamplingSettings
from dragoman.rollout.heartbeat import Heart, Heartbeats
from dragoman.rollout.worker import RolloutWorker


class Engine:
    """Answers with one token; a request that comes while it is paused waits, as in vLLM."""

    def __init__(self):
        self.salts, self.running = [], asyncio.Event()
        self.running.set()

    async def generate(self, request, parameters, request_id):
        self.salts.append(request["cache_salt"])
        await self.running.wait()
        done = SimpleNamespace(token_ids=[3], logprobs=[{3: SimpleNamespace(logprob=-1.0)}], finish_reason="stop")
        yield SimpleNamespace(outputs=[done])

    async def pause_generation(self, **_):
        self.running.clear()

    async def resume_generation(self):
        self.running.set()

    async def start_weight_update(self): ...

    async def finish_weight_update(self, name): ...

    async def collective_rpc(self, name):
        return [0]


def test_a_request_that_arrives_during_a_sync_belongs_to_the_new_weights():
    async def scenario():
        worker = RolloutWorker("nowhere", RolloutSettings(), 32)
        worker._engine, worker._tokenizer = Engine(), SimpleNamespace(decode=lambda *_, **__: "x")
        sampling = SamplingSettings(4)
        before = await worker.generate([1], sampling)
        await worker.begin_update(7)
        during = asyncio.create_task(worker.generate([1], sampling))
        await asyncio.sleep(0.01)
        await worker.commit_update(7)
        return before, await during, await worker.generate([1], sampling), worker._engine.salts

    before, during, after, salts = asyncio.run(scenario())
    assert [c.version_first for c in (before, during, after)] == [0, 7, 7]
    assert salts[0] != salts[1] == salts[2]  # or it would find the cached prefixes of the old weights


class SlowEngine(Engine):
    """Answers with the seed as its token; the larger, the sooner."""

    def __init__(self):
        super().__init__()
        self.ended = []

    async def generate(self, request, parameters, request_id):
        seed = parameters.seed
        await asyncio.sleep((5 - seed) * 0.02)
        self.ended.append(seed)
        done = SimpleNamespace(token_ids=[seed], logprobs=[{seed: SimpleNamespace(logprob=-1.0)}], finish_reason="stop")
        yield SimpleNamespace(outputs=[done])


def slow_worker():
    worker = RolloutWorker("nowhere", RolloutSettings(), 32)
    worker._engine, worker._tokenizer = SlowEngine(), SimpleNamespace(decode=lambda ids, **_: str(ids[0]))
    return worker


def test_answers_of_a_group_come_as_they_end_with_their_places():
    async def scenario():
        worker, found = slow_worker(), []
        async for ended in worker.generate_each([[1]] * 3, SamplingSettings(4), [2, 4, 3]):
            found += [(place, answer.text, len(worker._engine.ended)) for place, answer in ended]
        return found

    assert asyncio.run(scenario()) == [(1, "4", 1), (2, "3", 2), (0, "2", 3)]


def test_answers_may_wait_for_others_to_come_with():
    async def scenario():
        worker = slow_worker()
        asked = worker.generate_each([[1]] * 3, SamplingSettings(4), [2, 4, 3], gather_s=0.03)
        return [[answer.text for _, answer in ended] async for ended in asked]

    assert asyncio.run(scenario()) == [["4", "3"], ["2"]], "the second ends 0.02 s after the first, the third 0.04"


def test_a_group_whose_engine_fails_ends_with_that_error_and_asks_nothing_more():
    async def scenario():
        worker = slow_worker()
        worker._engine.generate = failing
        with pytest.raises(RuntimeError, match="vLLM: ConnectionError: engine lost"):
            async for _ in worker.generate_each([[1]] * 2, SamplingSettings(4), [1, 2]):
                pass
        await asyncio.sleep(0)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    async def failing(request, parameters, request_id):
        if parameters.seed == 1:
            raise ConnectionError("engine lost")
        await asyncio.sleep(60)
        yield

    assert asyncio.run(scenario()) == []


def test_an_engine_is_heard_however_busy_it_is_and_its_silence_is_measured():
    async def scenario():
        heartbeats, heart = Heartbeats(), Heart(os.getpid())
        unheard = heartbeats.silence_s()
        heart.beat()
        time.sleep(0.2)  # the actor is busy itself: what was said meanwhile counts as heard when it listens
        heard = heartbeats.silence_s()
        await asyncio.sleep(0.3)
        return unheard, heard, heartbeats.silence_s()

    unheard, heard, silent = asyncio.run(scenario())
    assert unheard == 0 and heard < 0.1 and silent >= 0.3
    Heart(1).beat()  # nobody listens


def test_an_engine_that_somebody_stopped_is_silent_at_once_and_one_that_goes_on_is_not():
    beats = f"from dragoman.rollout.heartbeat import Heart; Heart({os.getpid()}).beat(); input()"

    async def scenario():
        heartbeats = Heartbeats()
        engine = subprocess.Popen([sys.executable, "-c", beats], stdin=subprocess.PIPE)
        try:
            while not heartbeats._last:
                await asyncio.sleep(0.1)
            running = heartbeats.silence_s()
            engine.send_signal(signal.SIGSTOP)
            os.waitpid(engine.pid, os.WUNTRACED)
            stopped = heartbeats.silence_s()
            engine.send_signal(signal.SIGCONT)
            os.waitpid(engine.pid, os.WCONTINUED)
            return running, stopped, heartbeats.silence_s()
        finally:
            engine.kill()
            engine.wait()

    running, stopped, continued = asyncio.run(asyncio.wait_for(scenario(), 60))
    assert running < 60 and math.isinf(stopped) and continued < 60
