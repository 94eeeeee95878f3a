"""Weights from the learner to some engines: one protocol with a checksum at its end, that no dead member can block.

    channel among these members  ->  begin on all engines (freeze; an engine that sleeps wakes its weights first)
                                 ->  for each bucket: learner sends, all engines receive, in parallel
                                 ->  commit(version) on all engines (cache woken, unfreeze), checksums compared

Where members meet (gloo, nccl) sending and receiving a bucket are one moment; else engines fetch a bucket while the
learner puts down the next (`dragoman.learner.transports`). A gloo group cannot be mended. When a member dies,
everybody's broadcast fails at once; when one hangs, at the deadline (`rollout.health_deadline_s`). Then the learner
drops its end, which lets go of all who still wait; those that do not answer a ping are given up; and the same version
is pushed again, on a new channel among the living, from its first bucket. So engines have either taken the whole update
or are still frozen before it.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

import ray

from dragoman.actors import told
from dragoman.errors import InfraFailure
from dragoman.learner import WeightSource
from dragoman.learner.trainer import MEETING, Channel
from dragoman.rollout.failures import RolloutFailure
from dragoman.rollout.fleet import Fleet, Worker
from dragoman.rollout.settings import RolloutSettings

if TYPE_CHECKING:
    from dragoman.learner.weight_channel import Bucket

ATTEMPTS = 4
SLACK_S = 10.0
"""Beyond a deadline that the other side holds itself"""


class WeightTransfer:
    """Keeps the channel open as long as its members stay the same."""

    def __init__(self, fleet: Fleet, settings: RolloutSettings) -> None:
        self.fleet, self.settings = fleet, settings
        self._members: tuple[Any, ...] | None = None
        """Whom the open channel connects"""
        self._told = 0
        """Bytes of a sync, as said last"""

    async def push(self, source: WeightSource, workers: Sequence[Worker], version: int) -> None:
        """The source's weights, as `version`, into all these workers that live; one after the other."""
        for attempt in range(1, ATTEMPTS + 1):
            await self.fleet.check(workers)
            workers = [worker for worker in workers if worker.state != "lost"]
            try:
                if workers:
                    await self._push(source, workers, version)
                return
            except (InfraFailure, ray.exceptions.RayTaskError) as error:
                if attempt == ATTEMPTS:
                    raise
                await self._let_go(source, error)

    async def _push(self, source: WeightSource, workers: Sequence[Worker], version: int) -> None:
        await self._connect(source, workers)
        buckets = await source.buckets(int(self.settings.sync_bucket_mib * (1 << 20)))
        self._tell(buckets)
        await self.fleet.all(workers, "begin_update", version)
        carry = self._meet if self.settings.transport in MEETING else self._deposit
        sent = await carry(source, workers, buckets)
        received = await self.fleet.all(workers, "commit_update", version)
        if any(checksum != sent for worker in received for checksum in worker):
            raise RolloutFailure(f"weights of version {version} arrived changed: sent {sent}, received {received}")

    async def _meet(self, source: WeightSource, workers: Sequence[Worker], buckets: "Sequence[Bucket]") -> int:
        """Learner and engines at the same time, bucket by bucket; returns the sum of the checksums."""
        total = 0
        for bucket in buckets:
            sent, _ = await _together(source.send_bucket(bucket), self._receive(workers, bucket))
            total += sent.checksum
        return total

    async def _deposit(self, source: WeightSource, workers: Sequence[Worker], buckets: "Sequence[Bucket]") -> int:
        """Engines fetch a bucket while the learner puts down the next; a place is free again when all have fetched."""
        total, held = 0, tuple[Any, ...]()
        for bucket in buckets:
            fetching = [self._receive(workers, *held)] if held else []
            sent, *_ = await _together(source.send_bucket(bucket), *fetching)
            total, held = total + sent.checksum, (bucket, sent.place)
        if held:
            await self._receive(workers, *held)
        return total

    async def _receive(self, workers: Sequence[Worker], bucket: "Bucket", *place: Any) -> None:
        within = self.settings.health_deadline_s + SLACK_S
        await self.fleet.all(workers, "receive_bucket", bucket, *place, within_s=within)

    def _tell(self, buckets: "Sequence[Bucket]") -> None:
        """Say what a sync takes, when that has changed."""
        size = sum(bucket.bytes for bucket in buckets)
        if size != self._told:
            what = "adapters alone" if any(bucket.adapters for bucket in buckets) else "whole weights"
            print(f"weights: {what}, {size / (1 << 20):.1f} MiB a sync to each engine", flush=True)
            self._told = size

    async def _connect(self, source: WeightSource, workers: Sequence[Worker]) -> None:
        """Open a channel among these, unless the open one is that."""
        members = (source.generation, *(worker.name for worker in workers))
        if members == self._members:
            return
        self._members = None
        host, port = await source.address()
        width, limit = self.settings.tensor_parallel, self.settings.health_deadline_s
        channel = Channel(host, port, 1 + width * len(workers), limit, self.settings.transport)
        joins = [
            self.fleet.ask(worker, "open_channel", channel, 1 + width * place, within_s=limit + SLACK_S)
            for place, worker in enumerate(workers)
        ]
        await _together(source.open_channel(channel), *joins)
        self._members = members

    async def _let_go(self, source: WeightSource, error: Exception) -> None:
        """After a failure: free those who wait for the learner."""
        reason = told(error.cause) if isinstance(error, ray.exceptions.RayTaskError) else told(error)
        print(f"weights: a transfer broke off ({reason[:160]}); it is done again", flush=True)
        self._members = None
        await source.close_channel()


async def _together(*work: Awaitable[Any]) -> list[Any]:
    """All results; the first error at once, whatever the others still wait for."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
