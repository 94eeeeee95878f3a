"""The rollout workers as a stage sees them: start, generate, synchronise.

Weight sync is one protocol with a checksum at its end:

    begin on all workers (freeze)  ->  for each bucket: learner sends, all workers receive, in parallel
                                   ->  commit(version) on all workers (unfreeze), checksums compared

Every wait has a deadline and names what it waited for.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ray

from dragoman.errors import DragomanError
from dragoman.learner import LearnerGroup, WeightSource
from dragoman.rollout.completion import Completion, SamplingSettings
from dragoman.rollout.sampler import Sampler
from dragoman.rollout.settings import RolloutSettings
from dragoman.rollout.worker import RolloutWorker


class RolloutFailure(DragomanError):
    """A rollout worker died, did not answer in time, or received other weights than were sent."""


class RolloutGroup(Sampler):
    """Worker actors named `dragoman/<run>/rollout/<index>`."""

    def __init__(self, folder: Path, settings: RolloutSettings, context: int, run_name: str) -> None:
        self.settings = settings
        self.running = [0] * settings.workers
        """Answers of groups that each worker has in hand"""
        actor = ray.remote(RolloutWorker)
        self.actors: list[Any] = [
            actor.options(
                name=f"dragoman/{run_name}/rollout/{index}",
                num_cpus=settings.cpus_per_worker,
                num_gpus=settings.gpus_per_worker,
                max_concurrency=100_000,
                runtime_env={"env_vars": _environment(settings)},
            ).remote(str(folder), settings, context)
            for index in range(len(self.running))
        ]

    async def start(self) -> None:
        """Start every engine."""
        await self._all("start")

    async def generate_group(
        self, prompt_ids: Sequence[int], sampling: SamplingSettings, seeds: Sequence[int | None]
    ) -> AsyncGenerator[tuple[int, Completion], None]:
        """The answers of a group as they end: one call, to the least busy worker."""
        index = min(range(len(self.actors)), key=lambda i: self.running[i])
        left, until = len(seeds), asyncio.get_running_loop().time() + self.settings.deadline_s
        self.running[index] += left
        try:
            call = self.actors[index].generate_group.options(num_returns="streaming")
            stream = call.remote(list(prompt_ids), sampling, list(seeds))
            while left:
                async with self._errors(f"rollout/{index} generate_group", until):
                    found = await (await anext(stream))
                self.running[index] -= 1
                left -= 1
                yield found
        finally:
            self.running[index] -= left

    async def generate_many(
        self, prompts: Sequence[Sequence[int]], sampling: SamplingSettings, seeds: Sequence[int | None] | None = None
    ) -> list[Completion]:
        seeds = list(seeds) if seeds is not None else [None] * len(prompts)
        n = len(self.actors)
        calls = [
            actor.generate_many.remote([list(p) for p in prompts[i::n]], sampling, list(seeds[i::n]))
            for i, actor in enumerate(self.actors)
        ]
        return _in_order(await self._wait("rollout generate_many", calls), len(prompts))

    async def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        n = len(self.actors)
        calls = [actor.logprobs.remote([list(s) for s in sequences[i::n]]) for i, actor in enumerate(self.actors)]
        return _in_order(await self._wait("rollout logprobs", calls), len(sequences))

    async def open_channel(self, learner: LearnerGroup) -> None:
        """Connect learner and engines once; `sync` uses the channel from then on."""
        host, port = await learner.address()
        width = self.settings.tensor_parallel
        world = 1 + width * len(self.actors)
        joins = [
            actor.open_channel.remote({"host": host, "port": port, "first_rank": 1 + width * index, "world": world})
            for index, actor in enumerate(self.actors)
        ]
        await asyncio.gather(learner.open_channel(host, port, world), self._wait("open_channel", joins))

    async def load(self, folder: Path) -> None:
        """Read the weights of a Hugging Face folder into all engines; they count as version 0."""
        await self._all("load", str(folder))

    async def sync(self, source: WeightSource, version: int) -> float:
        started = time.monotonic()
        buckets = await source.buckets(int(self.settings.sync_bucket_mib * (1 << 20)))
        await self._all("begin_update", version)
        sent = 0
        for bucket in buckets:
            checksum, _ = await asyncio.gather(source.send_bucket(bucket), self._all("receive_bucket", bucket))
            sent += checksum
        received = await self._all("commit_update", version)
        if any(checksum != sent for worker in received for checksum in worker):
            raise RolloutFailure(f"weights of version {version} arrived changed: sent {sent}, received {received}")
        return time.monotonic() - started

    async def peak_memory_bytes(self) -> list[int]:
        """Per worker."""
        return await self._all("peak_memory_bytes")

    def close(self) -> None:
        """End engines and actors."""
        ray.wait([a.shutdown.remote() for a in self.actors], num_returns=len(self.actors), timeout=10)
        for actor in self.actors:
            ray.kill(actor)

    async def _all(self, method: str, *arguments: Any) -> list[Any]:
        return await self._wait(f"rollout {method}", [getattr(a, method).remote(*arguments) for a in self.actors])

    async def _wait(self, what: str, references: list[Any]) -> list[Any]:
        async with self._errors(what, asyncio.get_running_loop().time() + self.settings.deadline_s):
            return list(await asyncio.gather(*references))

    @asynccontextmanager
    async def _errors(self, what: str, until: float) -> AsyncIterator[None]:
        """A wait that ends at a time of the loop's clock; RolloutFailure then, and when the worker dies."""
        try:
            async with asyncio.timeout_at(until):
                yield
        except TimeoutError:
            raise RolloutFailure(
                f"{what} did not finish within {self.settings.deadline_s:g} s (rollout.deadline_s)"
            ) from None
        except ray.exceptions.RayActorError as error:
            raise RolloutFailure(f"{what}: the worker died: {error}") from error


def _in_order(parts: Sequence[Sequence[Any]], count: int) -> list[Any]:
    """What the workers gave back for items that were dealt to them in turn."""
    return [parts[i % len(parts)][i // len(parts)] for i in range(count)]


def _environment(settings: RolloutSettings) -> dict[str, str]:
    variables = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if not settings.gpus_per_worker:
        variables |= {
            "OMP_NUM_THREADS": str(settings.threads or max(1, len(os.sched_getaffinity(0)) // settings.workers)),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_CPU_KVCACHE_SPACE": str(max(1, round(settings.kv_cache_gib))),
            "TORCHDYNAMO_DISABLE": "1",
            # with OMP_NUM_THREADS set here, the worker may live in the engine process: one process less
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
        }
    return variables
