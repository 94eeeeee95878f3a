"""A weight transfer whose members die or hang amid it: real channels between light actors, no engine."""

import asyncio
import os
import signal
import socket
import time

import pytest

from dragoman.actors import this_process
from dragoman.errors import InfraFailure
from dragoman.learner.clock import WeightClock
from dragoman.rollout import RolloutGroup, RolloutSettings
from dragoman.rollout import fleet as fleet_module


def receiving_worker():
    """A class of its own for each call, so that it travels to Ray by value. Its weights are what it received last."""

    class Worker:
        def __init__(self, folder, settings, context):
            self.own, self.weights, self.version = this_process(), [], None

        async def process(self):
            return self.own

        async def start(self):
            import dragoman.learner.transports  # noqa: F401 - torch takes seconds

        async def ping(self):
            return 0.0

        async def open_channel(self, channel, first_rank):
            from dragoman.learner.transports import open_end

            self.channel = None
            self.channel = await asyncio.to_thread(open_end, channel, first_rank)

        async def begin_update(self, version):
            self.coming, self.sums = [], 0

        async def receive_bucket(self, bucket, place=None):
            from dragoman.learner.weight_channel import receive

            try:
                ((_, tensor),), checksum = await asyncio.to_thread(receive, self.channel, bucket, {}, place)
            except RuntimeError:
                self.channel = None
                raise
            self.coming.append(float(tensor[0]))
            self.sums += checksum

        async def commit_update(self, version):
            self.weights, self.version = self.coming, version
            return [self.sums]

        async def held(self):
            return self.version, self.weights

        async def shutdown(self): ...

    return Worker


async def broken_channels_are_infrastructure(work, *arguments):
    """A learner rank is an actor, whose error is known to be of a call; this source is in the test's own process."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except RuntimeError as error:
        raise InfraFailure(str(error)) from error


class Source:
    """Three buckets that say the version; something may happen before one is sent."""

    def __init__(self):
        self.clock, self.generation, self.value = WeightClock(), 0, 0.0
        self.before, self.opened = {}, 0

    async def address(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return "127.0.0.1", probe.getsockname()[1]

    async def open_channel(self, channel):
        from dragoman.learner.transports import open_end

        self.channel, self.opened = None, self.opened + 1
        self.channel = await broken_channels_are_infrastructure(open_end, channel, 0)

    async def close_channel(self):
        self.channel = None

    async def buckets(self, limit_bytes):
        from dragoman.learner.weight_channel import Bucket, Piece

        return [Bucket((Piece(name, (1000,), 0, 1000),), "float32") for name in "abc"]

    async def send_bucket(self, bucket):
        import torch

        from dragoman.learner.weight_channel import send

        happens = self.before.pop(bucket.names[0], None)
        if happens is not None:
            happens()
        return await broken_channels_are_infrastructure(send, self.channel, bucket, [torch.full((1000,), self.value)])


@pytest.fixture(params=["gloo", "shared_memory"])
def rollout(ray_cluster, monkeypatch, tmp_path, request):
    monkeypatch.setattr(fleet_module, "RolloutWorker", receiving_worker())
    settings = RolloutSettings(workers=3, cpus_per_worker=0.1, health_deadline_s=5.0, transport=request.param)
    made = RolloutGroup(tmp_path, settings, 32, f"{tmp_path.name}-{request.param}")
    yield made
    made.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_member_that_is_lost_amid_a_transfer_delays_it_and_gets_a_successor_with_the_same_weights(rollout, number):
    async def scenario():
        source = Source()
        await rollout.start()
        await rollout.sync(source, 0)
        lost = rollout.fleet.workers[1]
        source.before["b"] = lambda: os.kill(lost.process.pid, number)
        source.value = 1.0
        began = time.monotonic()
        await rollout.sync(source, 1)
        seconds = time.monotonic() - began
        living = await rollout.fleet.all([rollout.fleet.workers[0], rollout.fleet.workers[2]], "held")
        await asyncio.wait_for(rollout.fleet.until(lambda: len(rollout.fleet.serving) == 3), 120)
        joined = await rollout.fleet.all(rollout.fleet.workers, "held")
        source.value = 2.0
        await rollout.sync(source, 2)
        return seconds, living, joined, await rollout.fleet.all(rollout.fleet.workers, "held"), source.opened

    seconds, living, joined, after, opened = asyncio.run(scenario())
    assert living == [(1, [1.0] * 3)] * 2
    assert joined == [(1, [1.0] * 3)] * 3
    assert after == [(2, [2.0] * 3)] * 3
    assert rollout.restarts == 1
    assert opened == 4  # for three, for the two that lived, for the one that came, for three again
    assert seconds < 60


def test_a_worker_that_comes_while_the_learner_has_stepped_gets_the_weights_of_the_next_sync(rollout):
    async def scenario():
        source = Source()
        await rollout.start()
        await rollout.sync(source, 0)
        await source.clock.change()  # a step is being made: the weights of version 0 are gone
        source.value = 7.0
        os.kill(rollout.fleet.workers[2].process.pid, signal.SIGKILL)
        while rollout.fleet.workers[2] not in rollout._joining:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        before = len(rollout.fleet.serving)
        await rollout.sync(source, 1)
        await rollout.fleet.until(lambda: len(rollout.fleet.serving) == 3)
        return before, await rollout.fleet.all(rollout.fleet.workers, "held")

    before, held = asyncio.run(asyncio.wait_for(scenario(), 180))
    assert before == 2
    assert held == [(1, [7.0] * 3)] * 3


def test_nothing_steps_while_weights_are_held_still():
    async def scenario():
        clock, order = WeightClock(), []

        async def step():
            await clock.change()
            order.append("step")

        async with clock.held() as changes:
            task = asyncio.create_task(step())
            await asyncio.sleep(0.01)
            order.append("sent")
        await task
        return changes, clock.changes, order

    assert asyncio.run(scenario()) == (0, 1, ["sent", "step"])
