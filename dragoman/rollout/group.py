"""The rollout workers as a stage sees them: start, generate, load, synchronise; lost workers are nobody's concern.

Answers of a worker that is lost are asked again on others, with the same seeds; those already received are kept. A
group that was in hand when two workers died is asked alone from then on, so that company is not blamed: when two more
die over it, it is a `PoisonPrompt` and left to the caller.

A new worker serves when it has the weights that the others have (`_equip`): those of a folder, or the learner's of the
last sync. If the learner has stepped since, the next sync is about to come, and the worker joins that. Where engines
sleep while the learner trains, a new one does not start meanwhile, and one that has just started sleeps, too.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.actors import ANYWHERE, DEATHS, Places, Wait
from dragoman.learner import WeightSource
from dragoman.rollout.completion import Completion, SamplingSettings
from dragoman.rollout.failures import PoisonPrompt, WorkerLost
from dragoman.rollout.fleet import Fleet, Worker
from dragoman.rollout.sampler import Sampler
from dragoman.rollout.settings import RolloutSettings
from dragoman.rollout.transfer import WeightTransfer

SUSPECT_AFTER, POISON_AFTER = 2, 4
"""Lost workers after which a group is asked alone, and after which it is given up"""
GATHER_S = 0.05
"""So long an answer to one of many waits for others that end"""


@dataclass(frozen=True)
class LearnerWeights:
    """What the engines hold after a sync."""

    source: WeightSource
    version: int
    changes: int
    """Of the source's clock: if it has gone on, these weights are gone"""


class RolloutGroup(Sampler):
    """Worker actors, kept alive by a fleet."""

    def __init__(
        self, folder: Path, settings: RolloutSettings, context: int, run_name: str, places: Places = ANYWHERE
    ) -> None:
        self.settings, self.fleet = settings, Fleet(folder, settings, context, run_name, places)
        self.fleet.equip = self._equip
        self.transfer = WeightTransfer(self.fleet, settings)
        self._weights: Path | LearnerWeights | None = None
        self._updating = asyncio.Lock()
        self._joining: dict[Worker, asyncio.Future[None]] = {}

    @property
    def restarts(self) -> int:
        """Workers that were replaced."""
        return self.fleet.losses

    @property
    def answered(self) -> int:
        """Answers that came so far, or were given up."""
        return self.fleet.answered

    def waiting(self) -> list[Wait]:
        """What its workers have to do."""
        return self.fleet.waiting()

    async def start(self) -> None:
        """Start every engine."""
        await self.fleet.start()

    def generate_group(
        self, prompt_ids: Sequence[int], sampling: SamplingSettings, seeds: Sequence[int | None]
    ) -> AsyncGenerator[tuple[int, Completion], None]:
        """The answers of a group as they end."""
        return self.generate_each([list(prompt_ids)] * len(seeds), sampling, seeds)

    async def generate_each(
        self, prompts: Sequence[Sequence[int]], sampling: SamplingSettings, seeds: Sequence[int | None],
        gather_s: float = 0.0,
    ) -> AsyncGenerator[tuple[int, Completion], None]:  # fmt: skip
        """An answer to each prompt as it ends: one call, to the least busy worker, and to another if that is lost.

        `gather_s`: an answer may wait so long for others that end, to come with them.
        """
        left, lost = dict(enumerate(zip(prompts, seeds, strict=True))), 0
        while left:
            alone = lost >= SUSPECT_AFTER
            worker = await self.fleet.take(len(left), alone=alone)
            try:
                async with aclosing(self._answers(worker, sampling, left, gather_s)) as answers:
                    async for found in answers:
                        yield found
            except WorkerLost as error:
                lost += 1
                if lost >= POISON_AFTER:
                    raise PoisonPrompt(f"{lost} rollout workers were lost over it, the last alone with it") from error
            finally:
                self.fleet.give_back(worker, len(left), alone=alone)

    async def _answers(
        self,
        worker: Worker,
        sampling: SamplingSettings,
        left: dict[int, tuple[Sequence[int], int | None]],
        gather_s: float,
    ) -> AsyncGenerator[tuple[int, Completion], None]:
        """Answers to what is left, by place; each is taken out as it comes."""
        limit, places = self.settings.deadline_s, list(left)
        began = time.monotonic()
        call = worker.actor.generate_each.options(num_returns="streaming")
        prompts, seeds = zip(*left.values(), strict=True)
        stream = call.remote(list(prompts), sampling, list(seeds), gather_s)
        while left:
            try:
                ended = await _unless_quiet(_next_of(stream), lambda: max(began, worker.since) + limit)
            except (TimeoutError, *DEATHS) as error:
                raise self.fleet.lost(worker, "generate_each", error, limit) from error
            for place, _ in ended:
                del left[places[place]]
            self.fleet.give_back(worker, len(ended))
            for place, found in ended:
                yield places[place], found

    async def generate_many(
        self, prompts: Sequence[Sequence[int]], sampling: SamplingSettings, seeds: Sequence[int | None] | None = None
    ) -> list[Completion]:
        seeds, n = list(seeds) if seeds is not None else [None] * len(prompts), self.settings.workers
        parts = [self._all(prompts[i::n], sampling, seeds[i::n]) for i in range(n)]
        return _in_order(await asyncio.gather(*parts), len(prompts))

    async def _all(
        self, prompts: Sequence[Sequence[int]], sampling: SamplingSettings, seeds: Sequence[int | None]
    ) -> list[Completion]:
        async with aclosing(self.generate_each(prompts, sampling, seeds, GATHER_S)) as answers:
            found = {place: done async for place, done in answers}
        return [found[place] for place in range(len(prompts))]

    async def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        n = self.settings.workers
        calls = [("logprobs", [list(s) for s in sequences[i::n]]) for i in range(n)]
        return _in_order(await asyncio.gather(*(self._somewhere(*call) for call in calls)), len(sequences))

    async def load(self, folder: Path) -> None:
        """Read the weights of a Hugging Face folder into all engines; they count as version 0."""
        async with self._updating:
            self._weights = folder
            await _unless_lost([self.fleet.ask(worker, "load", str(folder)) for worker in self.fleet.serving])

    async def sleep(self) -> None:
        if self.settings.colocate:
            await self.fleet.sleep()
            async with self._updating:
                await _unless_lost([self.fleet.ask(worker, "sleep") for worker in self.fleet.serving])

    async def sync(self, source: WeightSource, version: int) -> float:
        started = time.monotonic()
        async with self._updating, source.clock.held() as changes:
            self.fleet.wake()
            self._weights = LearnerWeights(source, version, changes)
            joining = dict(self._joining)
            await self.transfer.push(source, [*self.fleet.serving, *joining], version)
            for joined in joining.values():
                self._resolve(joined)
        return time.monotonic() - started

    async def peak_memory_bytes(self) -> list[int]:
        """Of each worker that serves."""
        return await _unless_lost([self.fleet.ask(worker, "peak_memory_bytes") for worker in self.fleet.serving])

    def close(self) -> None:
        """End engines and actors."""
        self.fleet.close()

    async def _somewhere(self, method: str, items: Sequence[Any], *arguments: Any) -> list[Any]:
        """One call about some items to the least busy worker, and to another as long as workers are lost over it."""
        while True:
            worker = await self.fleet.take(len(items), alone=False)
            try:
                return list(await self.fleet.ask(worker, method, items, *arguments))
            except WorkerLost:
                continue
            finally:
                self.fleet.give_back(worker, len(items))

    async def _equip(self, worker: Worker) -> None:
        """Give a new worker the weights that the others have; returns when it has them."""
        joined = self._joining[worker] = asyncio.get_running_loop().create_future()
        try:
            async with self._updating:
                if not joined.done():
                    await self._give_current(worker, joined)
            await self.fleet.until(lambda: joined.done() or worker.state == "lost")
        finally:
            self._joining.pop(worker, None)

    async def _give_current(self, worker: Worker, joined: asyncio.Future[None]) -> None:
        held = self._weights
        if self.fleet.asleep:
            await self.fleet.ask(worker, "sleep")
            return  # the next sync wakes it
        if isinstance(held, LearnerWeights):
            async with held.source.clock.held() as changes:
                if changes != held.changes:
                    return  # the weights of the last sync are gone; it gets those of the next one
                await self.transfer.push(held.source, [worker], held.version)
        elif held is not None:
            await self.fleet.ask(worker, "load", str(held))
        self._resolve(joined)

    def _resolve(self, joined: asyncio.Future[None]) -> None:
        if not joined.done():
            joined.set_result(None)
        self.fleet.notify()


async def _next_of(stream: Any) -> Any:
    return await (await anext(stream))


async def _unless_quiet(work: Coroutine[Any, Any, Any], until: Callable[[], float]) -> Any:
    """What work gives; TimeoutError at a time that may move while it is waited for: an engine that is slow but gives
    answers to somebody is not lost."""
    task = asyncio.ensure_future(work)
    try:
        while (left := until() - time.monotonic()) > 0:
            await asyncio.wait({task}, timeout=left)
            if task.done():
                return task.result()
        raise TimeoutError
    finally:
        task.cancel()


async def _unless_lost(calls: Sequence[Any]) -> list[Any]:
    """Results of calls to workers, without those of workers that were lost meanwhile: others take their places."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    failed = next((f for f in found if isinstance(f, BaseException) and not isinstance(f, WorkerLost)), None)
    if failed is not None:
        raise failed
    return [value for value in found if not isinstance(value, WorkerLost)]


def _in_order(parts: Sequence[Sequence[Any]], count: int) -> list[Any]:
    """What the workers gave back for items that were dealt to them in turn."""
    return [parts[i % len(parts)][i // len(parts)] for i in range(count)]
