"""The rollout workers of a run: who serves, who is lost, and who takes a lost one's place.

    waiting (while engines sleep) -> starting -> (engine is up) -> joining -> (has the current weights) -> serving
    any of these -> lost -> a new worker waits at its place

A worker is lost when its process or engine dies, when one of them is silent for `rollout.health_deadline_s`, or when a
call takes longer than it may. Its process tree is killed, which fails every call to it, and a new one starts in the
background while the others serve. More than `rollout.max_restarts` losses in a run, or `START_LIMIT` in a row at one
place before it served, end the run with one sentence.
"""

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import ray

from dragoman.actors import ANYWHERE, DEATHS, ActorProcess, Places, Wait, allocator, answer_within, end_actor, told
from dragoman.rollout.failures import RolloutFailure, WorkerLost
from dragoman.rollout.settings import RolloutSettings
from dragoman.rollout.worker import RolloutWorker

PING_S = 2.0
START_LIMIT = 3


@dataclass(eq=False)
class Worker:
    """One actor, from its start to its loss."""

    index: int
    name: str
    actor: Any
    in_vain: int
    """Workers that were lost at this place before one served"""
    successor: bool
    """It takes the place of a lost one"""
    process: ActorProcess | None = None
    state: Literal["waiting", "starting", "joining", "serving", "lost"] = "waiting"
    running: int = 0
    """Answers of groups that it has in hand"""
    reserved: bool = False
    """It works for one group alone"""
    since: float = field(default_factory=time.monotonic)
    """When it was begun, then when it last gave something back"""


class Fleet:
    """Workers `dragoman/<run>/rollout/<index>`; those that replace another have a number behind their name.

    equip: gives a new worker the current weights; it serves when that returns. One event loop.
    """

    def __init__(
        self, folder: Path, settings: RolloutSettings, context: int, run_name: str, places: Places = ANYWHERE
    ) -> None:
        self.folder, self.settings, self.context, self.run_name = folder, settings, context, run_name
        self.places = places
        self.losses = self.answered = 0
        self.asleep = False
        """Whether engines leave the GPU to the learner: none may start"""
        self.equip: Callable[[Worker], Awaitable[None]] = _nothing
        self._failure: Exception | None = None
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.workers = [self._launch(index) for index in range(settings.workers)]

    async def start(self) -> None:
        """Start every engine, and watch over them from then on; an error here is not tried again."""
        await asyncio.gather(*(self._bring_up(worker) for worker in self.workers))
        self._raise_failure()
        self._beside(self._watch())

    @property
    def serving(self) -> list[Worker]:
        """Those that have the current weights."""
        return [worker for worker in self.workers if worker.state == "serving"]

    async def sleep(self) -> None:
        """From now on no engine starts; returns when none is being started."""
        self.asleep = True
        await self.until(lambda: all(worker.state != "starting" for worker in self.workers))

    def wake(self) -> None:
        """Engines may start."""
        self.asleep = False
        self.notify()

    async def take(self, answers: int, *, alone: bool) -> Worker:
        """The least busy worker, with so many answers more in hand; for one that must be alone, when it is idle."""
        while True:
            await self.until(lambda: any(not worker.reserved for worker in self.serving))
            free = [worker for worker in self.serving if not worker.reserved]
            worker = min(free, key=lambda found: found.running)
            if alone:
                worker.reserved = True
                await self._idle(worker)
            if worker.state == "serving":
                worker.running += answers
                return worker

    async def _idle(self, worker: Worker) -> None:
        await self.until(lambda: worker.running == 0 or worker.state == "lost")

    def give_back(self, worker: Worker, answers: int, *, alone: bool = False) -> None:
        """So many answers are done, or given up."""
        self.answered += answers
        worker.running -= answers
        worker.reserved = worker.reserved and not alone
        worker.since = time.monotonic()
        self.notify()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a worker's state decides; raises when the fleet cannot go on."""
        while True:
            self._raise_failure()
            if condition():
                return
            await self._changed.wait()

    async def ask(self, worker: Worker, method: str, *arguments: Any, within_s: float | None = None) -> Any:
        """One call to one worker; `WorkerLost` when it dies, hangs or takes too long."""
        limit = within_s or self.settings.deadline_s
        try:
            async with asyncio.timeout(limit):
                return await getattr(worker.actor, method).remote(*arguments)
        except (TimeoutError, *DEATHS) as error:
            raise self.lost(worker, method, error, limit) from error

    async def all(
        self, workers: Sequence[Worker], method: str, *arguments: Any, within_s: float | None = None
    ) -> list[Any]:
        """The same call to some workers."""
        return list(await asyncio.gather(*(self.ask(w, method, *arguments, within_s=within_s) for w in workers)))

    def lost(self, worker: Worker, method: str, error: BaseException, limit_s: float) -> WorkerLost:
        """Give a worker up because of what a call to it ended with; the error to raise."""
        slow = isinstance(error, TimeoutError)
        self.lose(worker, f"{method} took longer than {limit_s:g} s" if slow else f"died ({method})")
        return WorkerLost(f"{worker.name} was lost in {method}: {told(error) or 'too slow'}")

    def lose(self, worker: Worker, reason: str) -> None:
        """Give a worker up, once, and start another one at its place."""
        if worker.state == "lost":
            return
        served, worker.state = worker.state == "serving", "lost"
        self.losses += 1
        in_vain = 0 if served else worker.in_vain + 1
        end_actor(worker.actor, worker.process)
        if self.losses > self.settings.max_restarts or in_vain >= START_LIMIT:
            self._failure = RolloutFailure(
                f"rollout workers were lost {self.losses} times in this run (rollout.max_restarts is "
                f"{self.settings.max_restarts}, and no more than {START_LIMIT} in a row may fail to start); the last, "
                f"{worker.name}, {reason}: look at its log in Ray's session folder, and at the machine's memory"
            )
        else:
            print(f"rollout/{worker.index}: {reason}; another worker starts in its place", flush=True)
            self.workers[worker.index] = self._launch(worker.index, in_vain)
            self._beside(self._bring_up(self.workers[worker.index]))
        self.notify()

    async def check(self, workers: Sequence[Worker]) -> None:
        """Ping these workers; those that do not answer in time, or whose engine is silent, are lost."""
        limit = self.settings.health_deadline_s

        async def ping(worker: Worker) -> None:
            try:
                silence = await answer_within(worker.actor.ping.remote(), limit, worker.process)
            except DEATHS:
                self.lose(worker, "died")
            else:
                if silence is None:
                    self.lose(worker, f"was stopped, or has not answered for {limit:g} s")
                elif math.isinf(silence):
                    self.lose(worker, "its engine was stopped")
                elif silence > limit:
                    self.lose(worker, f"its engine has not been heard for {silence:.0f} s")

        await asyncio.gather(*(ping(worker) for worker in workers if worker.state != "lost"))

    def waiting(self) -> list[Wait]:
        """Workers that are starting, or have answers in hand."""
        now, found = time.monotonic(), []
        for worker in self.workers:
            begun = worker.state not in ("serving", "lost")
            if begun or worker.running:
                what = "a worker that is starting" if begun else f"{worker.running} answers"
                processes = () if worker.process is None else (worker.process,)
                found.append(Wait(what, now - worker.since, (worker.name,), processes))
        return found

    def close(self) -> None:
        """End engines and actors."""
        for task in self._tasks:
            task.cancel()
        living = [worker for worker in self.workers if worker.state != "lost"]
        endings = [worker.actor.shutdown.remote() for worker in living]
        ended = ray.wait(endings, num_returns=len(endings), timeout=10)[0] if endings else []
        for worker, ending in zip(living, endings, strict=True):
            if ending in ended:
                ray.kill(worker.actor)
            else:
                end_actor(worker.actor, worker.process)

    def _launch(self, index: int, in_vain: int = 0) -> Worker:
        name = f"dragoman/{self.run_name}/rollout/{index}" + (f"~{self.losses}" if self.losses else "")
        settings = self.settings
        actor = ray.remote(RolloutWorker).options(
            name=name,
            num_cpus=settings.cpus_per_worker,
            num_gpus=settings.gpus_per_worker,
            max_concurrency=100_000,
            runtime_env={"env_vars": _environment(settings)},
            scheduling_strategy=self.places.of(index),
        )
        handle = actor.remote(str(self.folder), settings, self.context)
        return Worker(index, name, handle, in_vain, successor=self.losses > 0)

    async def _bring_up(self, worker: Worker) -> None:
        try:
            worker.process = await self.ask(worker, "process")
            await self.until(lambda: not self.asleep)
            self._becomes(worker, "starting")
            await self.ask(worker, "start")
            self._becomes(worker, "joining")
            await self.equip(worker)
        except WorkerLost:
            return  # another one is starting already
        except Exception as error:
            self._failure = error
        else:
            if worker.state == "joining":
                if worker.successor:
                    seconds = time.monotonic() - worker.since
                    print(f"rollout/{worker.index}: another worker serves, started in {seconds:.1f} s", flush=True)
                worker.since = time.monotonic()
                self._becomes(worker, "serving")
        self.notify()

    def _becomes(self, worker: Worker, state: Literal["starting", "joining", "serving"]) -> None:
        """Its next state, unless it was lost meanwhile."""
        if worker.state != "lost":
            worker.state = state
            self.notify()

    async def _watch(self) -> None:
        while self._failure is None:
            await asyncio.sleep(PING_S)
            await self.check(self.serving)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def notify(self) -> None:
        """Whoever waits in `until` looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


async def _nothing(_: Worker) -> None: ...


def _environment(settings: RolloutSettings) -> dict[str, str]:
    variables = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if not settings.gpus_per_worker:
        variables |= allocator() | {
            "OMP_NUM_THREADS": str(settings.threads or max(1, len(os.sched_getaffinity(0)) // settings.workers)),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "TORCHDYNAMO_DISABLE": "1",
            # of products that oneDNN compiles for each number of rows it keeps 1,024 and so grows for hundreds of steps
            "ONEDNN_PRIMITIVE_CACHE_CAPACITY": os.environ.get("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256"),
            # with OMP_NUM_THREADS set here, the worker may live in the engine process: one process less
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
        }
    return variables
