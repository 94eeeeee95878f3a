"""The learner as a stage sees it: a group of rank actors behind plain calls.

`train_step` packs units, deals them to the ranks, waits for all of them and adds up what they report.
All methods are coroutines so that the rollout pump of reinforcement learning goes on meanwhile. Every
wait has a deadline, ranks are pinged meanwhile, and a rank that died or hangs is a `LearnerFailure` at once
(`dragoman.learner.survival` goes on from there).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import ray

from dragoman.actors import ANYWHERE, DEATHS, ActorProcess, Places, Wait, allocator, answer_within, end_actor, told
from dragoman.errors import InfraFailure
from dragoman.learner.clock import WeightClock
from dragoman.learner.losses import Loss
from dragoman.learner.objective import Objective, shards
from dragoman.learner.packing import Unit, pack, padding_share, unpack
from dragoman.learner.rank import LearnerRank
from dragoman.learner.settings import LearnerSettings, OptimiserSettings
from dragoman.learner.trainer import Channel, Sent, Trainer
from dragoman.learner.value_head import ValueHead

if TYPE_CHECKING:
    from dragoman.learner.weight_channel import Bucket


PING_S = 2.0
"""Seconds between two pings of the ranks during a call"""
NOTICE_S = 0.5
"""Ray may know of a death a little later than the peers do"""


class LearnerFailure(InfraFailure):
    """A rank died or did not answer in time; collectives cannot heal, so all ranks have to be started again."""


class LearnerGroup(Trainer):
    """Rank actors named `dragoman/<run>/learner/<rank>`; those of a later generation have it behind their name."""

    def __init__(
        self, settings: LearnerSettings, run_name: str, generation: int = 0, places: Places = ANYWHERE
    ) -> None:
        self.settings, self.ranks, self.generation = settings, settings.ranks, generation
        self.clock = WeightClock()
        self._calls: dict[asyncio.Task[None], tuple[str, float]] = {}
        self._processes: list[ActorProcess | None] = [None] * self.ranks
        # beside whatever a rank is doing, pings are answered and files written; Ray's types do not know the argument
        beside = {"health": 1, "files": 1}
        actor: Any = ray.remote(concurrency_groups=beside)(LearnerRank)  # type: ignore[call-overload]
        suffix = f"~{generation}" if generation else ""
        self.actors: list[Any] = [
            actor.options(
                name=f"dragoman/{run_name}/learner/{rank}{suffix}",
                num_cpus=settings.cpus_per_rank,
                num_gpus=settings.gpus_per_rank,
                runtime_env={"env_vars": _environment(settings)},
                scheduling_strategy=places.of(rank),
            ).remote(rank, settings)
            for rank in range(self.ranks)
        ]

    async def start(self) -> None:
        """Form the process group; the ranks' imports are over when this returns."""
        host, port = await self.address()
        self._processes = await self._all("ping")
        await self._all("connect", host, port)

    async def load(
        self, folder: Path, optimiser: OptimiserSettings, seed: int, value_head: ValueHead | None = None
    ) -> None:
        """Model of `folder` under a fresh optimiser, on every rank; with a value head if one is asked for."""
        await self.clock.change()
        await self._all("load", str(folder), optimiser, seed, value_head)

    async def train_step(self, objectives: Sequence[Objective], learning_rate: float) -> dict[str, float]:
        await self.clock.change()
        packed = [self._pack(objective.units) for objective in objectives]
        dealt = [shards(objective, batches) for objective, batches in zip(objectives, packed, strict=True)]
        results = await self._each("train_step", list(zip(*dealt, strict=True)), learning_rate=learning_rate)
        metrics = {
            "learning_rate": learning_rate,
            "padding_share": padding_share([rank for batches in packed for rank in batches]),
        }
        for sums, maxima in results:
            for name, value in sums.items():
                metrics[name] = metrics.get(name, 0.0) + value
            for name, value in maxima.items():
                metrics[name] = max(metrics.get(name, -np.inf), value)
        return metrics

    async def load_frozen(self, name: str, folder: Path) -> None:
        await self._all("load_frozen", name, str(folder))

    async def refresh_frozen(self, name: str) -> None:
        """Let a frozen model be the policy as it is now."""
        await self._all("refresh_frozen", name)

    async def logprobs(
        self, units: Sequence[Unit], temperature: float = 1.0, frozen: str | None = None
    ) -> list[np.ndarray]:
        batches = self._pack(units)
        return unpack(batches, await self._each("logprobs", batches, temperature=temperature, frozen=frozen))

    async def values(self, units: Sequence[Unit]) -> list[np.ndarray]:
        """What the value head says before each token of each sequence, in order."""
        batches = self._pack(units)
        return unpack(batches, await self._each("values", batches))

    async def evaluate_loss(self, units: Sequence[Unit], loss: Loss, counts: Mapping[str, float]) -> dict[str, float]:
        total: dict[str, float] = {}
        for sums in await self._each("loss", self._pack(units), loss=loss, counts=dict(counts)):
            for name, value in sums.items():
                total[name] = total.get(name, 0.0) + value
        return total

    async def save(self, folder: Path) -> None:
        await self._all("save", str(folder))

    async def copy_checkpoint(self, folder: Path, tag: str) -> None:
        await self._all("copy_checkpoint", str(folder), tag)

    async def write_checkpoint(self) -> None:
        await self._all("write_checkpoint")

    async def load_checkpoint(self, folder: Path, tag: str) -> None:
        await self.clock.change()
        await self._all("load_checkpoint", str(folder), tag)

    async def address(self) -> tuple[str, int]:
        return await self._one(0, "address")

    async def open_channel(self, channel: Channel) -> None:
        """The end of rank 0; with `ipc` every rank has one, on its own GPU."""
        if channel.transport == "ipc":
            await self._all("open_channel", channel)
        else:
            await self._one(0, "open_channel", channel)

    async def close_channel(self) -> None:
        await self._all("close_channel")

    async def buckets(self, limit_bytes: int) -> list[Bucket]:
        return await self._one(0, "buckets", limit_bytes)

    async def send_bucket(self, bucket: Bucket) -> Sent:
        """Send one bucket from rank 0, or leave it on the GPU of every rank."""
        sent = [one for one in await self._all("send_bucket", bucket) if one is not None]
        if len(sent) == 1:
            return sent[0]
        return Sent(sent[0].checksum, {gpu: handle for one in sent for gpu, handle in one.place.items()})

    async def peak_memory_bytes(self) -> list[int]:
        """Per rank."""
        return await self._all("peak_memory_bytes")

    def waiting(self) -> list[Wait]:
        """Calls that the ranks have not ended yet."""
        now, ranks = time.monotonic(), tuple(f"learner/{rank}" for rank in range(self.ranks))
        processes = tuple(process for process in self._processes if process is not None)
        return [Wait(f"learner {method}", now - began, ranks, processes) for method, began in self._calls.values()]

    def close(self) -> None:
        """End the actors."""
        for actor in self.actors:
            ray.kill(actor)

    def abandon(self) -> None:
        """End the actors of which one is lost, those that hang as well."""
        for actor, process in zip(self.actors, self._processes, strict=True):
            end_actor(actor, process)

    def _pack(self, units: Sequence[Unit]) -> list[list[Any]]:
        return pack(
            units, ranks=self.ranks, row_tokens=self.settings.row_tokens,
            rows_per_micro_batch=self.settings.rows_per_micro_batch, share_prompts=self.settings.attention == "sdpa",
        )  # fmt: skip

    async def _one(self, rank: int, method: str, *arguments: Any) -> Any:
        return (await self._wait(method, [getattr(self.actors[rank], method).remote(*arguments)]))[0]

    async def _all(self, method: str, *arguments: Any) -> list[Any]:
        return await self._wait(method, [getattr(actor, method).remote(*arguments) for actor in self.actors])

    async def _each(self, method: str, first: Sequence[Any], **arguments: Any) -> list[Any]:
        calls = zip(self.actors, first, strict=True)
        return await self._wait(method, [getattr(a, method).remote(item, **arguments) for a, item in calls])

    async def _wait(self, method: str, references: list[Any]) -> list[Any]:
        watch = asyncio.create_task(self._watch(method))
        self._calls[watch] = method, time.monotonic()
        calls = asyncio.ensure_future(asyncio.gather(*references))
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                await asyncio.wait({watch, calls}, return_when=asyncio.FIRST_COMPLETED)
                return list(await calls) if calls.done() else await watch
        except TimeoutError:
            raise LearnerFailure(
                f"learner ranks did not finish {method!r} within {self.settings.deadline_s:g} s; raise "
                "learner.deadline_s, or look for the rank that hangs"
            ) from None
        except DEATHS as error:
            raise LearnerFailure(f"a learner rank died during {method!r}: {told(error)}") from error
        except ray.exceptions.RayTaskError as error:  # what the others say when one is gone
            await asyncio.sleep(NOTICE_S)
            await self._check(method)
            raise error
        finally:
            del self._calls[watch]
            watch.cancel()
            calls.cancel()
            await asyncio.gather(watch, calls, return_exceptions=True)

    async def _watch(self, method: str) -> Any:
        """Raise LearnerFailure as soon as a rank that has been started does not answer any more."""
        while True:
            await asyncio.sleep(PING_S)
            await self._check(method)

    async def _check(self, method: str) -> None:
        limit = self.settings.health_deadline_s
        started = [rank for rank, process in enumerate(self._processes) if process is not None]
        pings = [answer_within(self.actors[rank].ping.remote(), limit, self._processes[rank]) for rank in started]
        found = await asyncio.gather(*pings, return_exceptions=True)
        dead = [rank for rank, answer in zip(started, found, strict=True) if isinstance(answer, BaseException)]
        hung = [rank for rank, answer in zip(started, found, strict=True) if answer is None]
        if dead:
            raise LearnerFailure(f"a learner rank died during {method!r}: number {dead[0]}")
        if hung:
            raise LearnerFailure(
                f"learner ranks {hung} were stopped, or have not answered for {limit:g} s during {method!r} "
                "(learner.health_deadline_s)"
            )


def _environment(settings: LearnerSettings) -> dict[str, str]:
    threads = settings.threads or max(1, len(os.sched_getaffinity(0)) // settings.ranks)
    preloaded = {} if settings.gpus_per_rank else allocator()
    return {
        **preloaded,
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "DS_LOG_LEVEL": "warning",
    }
