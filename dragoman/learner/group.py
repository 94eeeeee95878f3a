"""The learner as a stage sees it: a group of rank actors behind plain calls.

`train_step` packs units, deals them to the ranks, waits for all of them and adds up what they report.
All methods are coroutines so that the rollout pump of reinforcement learning goes on meanwhile. Every
wait has a deadline, and a dead rank's error is raised at once with its traceback.
"""

from __future__ import annotations

import asyncio
import ctypes.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import ray

from dragoman.errors import DragomanError
from dragoman.learner.losses import Loss
from dragoman.learner.objective import Objective, shards
from dragoman.learner.packing import Unit, pack, padding_share, unpack
from dragoman.learner.rank import LearnerRank
from dragoman.learner.settings import LearnerSettings, OptimiserSettings
from dragoman.learner.trainer import Trainer
from dragoman.learner.value_head import ValueHead

if TYPE_CHECKING:
    from dragoman.learner.weight_channel import Bucket


class LearnerFailure(DragomanError):
    """A rank died or did not answer in time; collectives cannot heal, the stage must be resumed."""


class LearnerGroup(Trainer):
    """Rank actors named `dragoman/<run>/learner/<rank>`."""

    def __init__(self, settings: LearnerSettings, run_name: str) -> None:
        self.settings, self.ranks = settings, settings.ranks
        actor = ray.remote(LearnerRank)
        self.actors: list[Any] = [
            actor.options(
                name=f"dragoman/{run_name}/learner/{rank}",
                num_cpus=settings.cpus_per_rank,
                num_gpus=settings.gpus_per_rank,
                runtime_env={"env_vars": _environment(settings)},
            ).remote(rank, settings)
            for rank in range(self.ranks)
        ]

    async def start(self) -> None:
        """Form the process group; the ranks' imports are over when this returns."""
        host, port = await self._one(0, "address")
        await self._all("connect", host, port)

    async def load(
        self, folder: Path, optimiser: OptimiserSettings, seed: int, value_head: ValueHead | None = None
    ) -> None:
        """Model of `folder` under a fresh optimiser, on every rank; with a value head if one is asked for."""
        await self._all("load", str(folder), optimiser, seed, value_head)

    async def train_step(self, objectives: Sequence[Objective], learning_rate: float) -> dict[str, float]:
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

    async def save_checkpoint(self, folder: Path, tag: str) -> None:
        await self._all("save_checkpoint", str(folder), tag)

    async def load_checkpoint(self, folder: Path, tag: str) -> None:
        await self._all("load_checkpoint", str(folder), tag)

    async def address(self) -> tuple[str, int]:
        """Rank 0's node and a free port on it, for the weight channel."""
        return await self._one(0, "address")

    async def open_channel(self, host: str, port: int, world: int) -> None:
        """Open rank 0's end of the weight channel."""
        await self._one(0, "open_channel", host, port, world)

    async def buckets(self, limit_bytes: int) -> list[Bucket]:
        return await self._one(0, "buckets", limit_bytes)

    async def send_bucket(self, bucket: Bucket) -> int:
        """Broadcast one bucket from rank 0; returns its checksum."""
        return (await self._all("send_bucket", bucket))[0]

    async def peak_memory_bytes(self) -> list[int]:
        """Per rank."""
        return await self._all("peak_memory_bytes")

    def close(self) -> None:
        """End the actors."""
        for actor in self.actors:
            ray.kill(actor)

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
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                return list(await asyncio.gather(*references))
        except TimeoutError:
            raise LearnerFailure(
                f"learner ranks did not finish {method!r} within {self.settings.deadline_s:g} s; raise "
                "learner.deadline_s, or look for the rank that hangs"
            ) from None
        except ray.exceptions.RayActorError as error:
            raise LearnerFailure(f"a learner rank died during {method!r}: {error}") from error


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


def allocator() -> dict[str, str]:
    """tcmalloc in place of glibc's allocator where the machine has it and the user asks for nothing else: glibc 2.36
    hardly uses again what torch frees, and a learner grows to twice of what it holds (docs/learner.md)."""
    found = ctypes.util.find_library("tcmalloc_minimal")
    return {"LD_PRELOAD": found} if found and "LD_PRELOAD" not in os.environ else {}
