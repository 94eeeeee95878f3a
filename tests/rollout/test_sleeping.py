"""Engines that take turns with a learner on a GPU: what vLLM is asked, in which order, by an engine that notes it."""

import asyncio

from dragoman.learner.weight_channel import Bucket, Piece
from dragoman.rollout import RolloutSettings
from dragoman.rollout.worker import RolloutWorker

BUCKET = Bucket((Piece("a", (2,), 0, 2),), "float32")


class Engine:
    """vLLM's AsyncLLM as far as an update asks it; refuses what a sleeping engine has no memory for."""

    def __init__(self):
        self.asked, self.asleep = [], set()

    async def sleep(self, level, mode):
        self.asked.append(f"sleep {level} {mode}")
        self.asleep = {"weights", "kv_cache"}

    async def wake_up(self, tags):
        assert set(tags) <= self.asleep
        self.asked.append(f"wake {tags[0]}")
        self.asleep -= set(tags)

    async def pause_generation(self, mode, clear_cache):
        self.asked.append("pause")

    async def resume_generation(self):
        assert not self.asleep
        self.asked.append("resume")

    async def start_weight_update(self):
        assert "weights" not in self.asleep
        self.asked.append("start")

    async def update_weights(self, request):
        assert "weights" not in self.asleep
        self.asked.append(f"bucket at {request.update_info['place']}")

    async def finish_weight_update(self, version):
        self.asked.append(f"finish {version}")

    async def collective_rpc(self, method, args=()):
        self.asked.append(method)
        return [7]


def worker():
    made = RolloutWorker("folder", RolloutSettings(), 32)
    made._engine = Engine()
    return made


async def update(own):
    await own.begin_update(3)
    await own.receive_bucket(BUCKET, "there")
    return await own.commit_update(3)


def test_weights_wake_before_they_are_written_and_the_cache_when_they_are_there():
    async def scenario():
        own = worker()
        await own.sleep()
        checksums = await update(own)
        return checksums, own.version, own._engine.asked

    checksums, version, asked = asyncio.run(scenario())
    assert (checksums, version) == ([7], 3)
    # level 2: the weights are thrown away, since the next update brings all of them
    assert asked == [
        "sleep 2 keep", "wake weights", "pause", "abandon_update", "start", "bucket at there", "finish v3",
        "received_checksum", "wake kv_cache", "resume",
    ]  # fmt: skip


def test_an_update_that_breaks_off_is_begun_again_without_waking_twice():
    async def scenario():
        own = worker()
        await own.sleep()
        await own.begin_update(3)
        await own.receive_bucket(BUCKET, "there")
        await update(own)
        return own._engine

    engine = asyncio.run(scenario())
    assert engine.asked.count("wake weights") == engine.asked.count("wake kv_cache") == 1
    assert not engine.asleep


def test_an_engine_that_does_not_share_its_gpu_is_never_put_to_sleep():
    async def scenario():
        own = worker()
        await update(own)
        return own._engine.asked

    assert not [asked for asked in asyncio.run(scenario()) if asked.startswith(("sleep", "wake"))]


def test_only_a_group_that_shares_its_gpus_sleeps():
    from dragoman.rollout.group import RolloutGroup

    async def asked_of(colocate):
        group, asked = RolloutGroup.__new__(RolloutGroup), []
        group.settings = RolloutSettings(colocate=colocate)
        group._updating = asyncio.Lock()

        class Fleet:
            serving = ("a", "b")

            async def sleep(self):
                asked.append("no engine starts")

            async def ask(self, worker, method):
                asked.append((worker, method))

        group.fleet = Fleet()
        await group.sleep()
        return asked

    assert asyncio.run(asked_of(False)) == []
    assert asyncio.run(asked_of(True)) == ["no engine starts", ("a", "sleep"), ("b", "sleep")]
