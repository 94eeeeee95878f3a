"""The pool of one kind: a queue, its actors, and what happens when one dies or hangs.

One coroutine per actor takes batches off the queue. Per-check deadlines are held inside the actor; this side
holds two of its own: `ping` must answer (else the actor is frozen; at once where somebody stopped its process), and
the batch must be back within the sum of its checks' deadlines. An actor that missed either is killed, Ray restarts it
under the same handle, and its checks go back to the queue, each to be run alone. A check that kills or freezes its
actor alone, more than `retries` times, becomes `timeout` or `error`. A batched call that hung does not say on which
check, so it is treated alike.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayActorError, RayTaskError

from dragoman.actors import ActorProcess, Wait, end_process, is_stopped
from rewards.errors import PoolError, RewardError
from rewards.execution.environments import runtime_environment
from rewards.execution.worker import CHILD_GRACE_S, Check, RewardWorker
from rewards.plugins import PluginSource, kind_to_ship
from rewards.records import RewardResult, RewardSpec, Row, Status
from rewards.registry import RewardKind
from rewards.settings import PoolSettings

RESTART_TIMEOUT_S = 180.0
GRACE_S = 3.0
LOOK_S = 1.0
"""Between an answer and the next ping"""
STOPPED_LOOK_S = 0.25
"""Between two looks whether somebody stopped the process"""
DEAD_FOR_GOOD_S = 15.0
CHEAP_BATCH = 64
ISOLATED_BATCH = 8
CONCURRENCY = 64


@dataclass
class _Pending:
    """Checks that stay together: those of a prompt's answers for a group kind, else one."""

    checks: Sequence[Check]
    answer: asyncio.Future[list[RewardResult]]
    alone: bool = False
    failures: int = 0


class KindPool:
    """Actors that check one kind. Lives on one event loop; not thread-safe."""

    def __init__(
        self, kind: RewardKind, settings: PoolSettings, plugins: Sequence[PluginSource], run_name: str
    ) -> None:
        self._kind = kind
        self._settings = settings
        self._timeout_s = settings.timeout_s or kind.timeout_s
        self._batch_size = settings.batch_size or kind.batch_size or _usual_batch(kind)
        self._environment = settings.environment or kind.environment
        self._shipped = kind_to_ship(kind)
        if self._shipped is not None and kind.isolated:
            raise PoolError(
                f"reward {kind.name!r} has isolated=True and comes from {kind.function.__module__}; put it "
                "in a file and name it as a plug-in (path/to/file.py:function), so that a child can load it"
            )
        self._queue: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self.restarts = 0
        self._busy: dict[Any, tuple[int, float]] = {}
        """What actors have in hand, and since when"""
        self._processes: dict[Any, ActorProcess] = {}
        self._actors = [self._create(index, tuple(plugins), run_name) for index in range(settings.workers)]
        self._loops = [asyncio.ensure_future(self._serve(actor)) for actor in self._actors]

    async def prepare(self) -> None:
        """Wait until every actor passed its self-test; raises the reward error it met."""
        preparing = [_as_future(actor.prepare.remote()) for actor in self._actors]
        try:
            await asyncio.wait_for(asyncio.gather(*preparing), self._settings.start_timeout_s)
            for actor in self._actors:
                await self._wait_alive(actor)
        except RayTaskError as error:
            kind = type(error.cause) if isinstance(error.cause, RewardError) else PoolError
            raise kind(f"reward {self._kind.name!r} cannot start: {_cause(error)}") from None
        except RayActorError as error:
            raise PoolError(f"reward {self._kind.name!r} cannot start: {error}") from None
        except TimeoutError:
            raise PoolError(
                f"reward {self._kind.name!r} was not ready after {self._settings.start_timeout_s:g} s"
            ) from None

    async def check(self, spec: RewardSpec, rows: Sequence[Row]) -> list[RewardResult]:
        """Queue a component of all answers to one prompt, and wait for their results, in order.

        A group kind gets them in one call, another kind each alone. The pool's arguments fill what the spec leaves out.
        """
        if self._settings.arguments:
            spec = replace(spec, args={**self._settings.arguments, **spec.args})
        groups = [rows] if self._kind.group else [[row] for row in rows]
        loop = asyncio.get_running_loop()
        waiting = [_Pending([(spec, row) for row in group], loop.create_future()) for group in groups]
        self._queue.extend(waiting)
        self._wake.set()
        return [result for results in await asyncio.gather(*(p.answer for p in waiting)) for result in results]

    def waiting(self) -> list[Wait]:
        """Batches that actors have in hand."""
        now = time.monotonic()
        return [
            Wait(f"checks of reward {self._kind.name!r}", now - began, (f"{size} checks",), tuple(
                self._processes[a] for a in (actor,) if a in self._processes
            ))
            for actor, (size, began) in list(self._busy.items())
        ]  # fmt: skip

    def close(self) -> None:
        """Stop the actors; checks that wait fail with PoolError."""
        for loop in self._loops:
            loop.cancel()
        for actor in self._actors:
            ray.kill(actor, no_restart=True)
        while self._queue:
            self._queue.popleft().answer.set_exception(PoolError("the reward pools were closed"))

    def _create(self, index: int, plugins: tuple[PluginSource, ...], run_name: str) -> Any:
        options: dict[str, Any] = {
            "num_cpus": self._settings.num_cpus,
            "num_gpus": self._settings.num_gpus,
            "max_restarts": -1,
            "max_concurrency": CONCURRENCY,
        }
        if self._environment is not None:
            options["runtime_env"] = runtime_environment(self._environment, self._settings.num_gpus)
        remote = ray.remote(RewardWorker)
        arguments = (self._kind.name, plugins, self._shipped, self._timeout_s, dict(self._settings.arguments))
        name = f"dragoman/{run_name}/reward-{self._kind.name}/{index}"
        for suffix in ("", *(f"~{n}" for n in range(2, 100))):
            try:
                return remote.options(name=name + suffix, **options).remote(*arguments)
            except ValueError as error:
                if "already" not in str(error):
                    raise
        raise PoolError(f"actor name {name!r} is taken 99 times; close pools that are no longer used")

    async def _serve(self, actor: Any) -> None:
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            batch = self._take_batch()
            self._busy[actor] = len(batch), time.monotonic()
            try:
                await self._run_batch(actor, batch)
            except asyncio.CancelledError:
                _fail(batch, PoolError("the reward pools were closed"))
                raise
            except Exception as error:
                _fail(batch, error)
            finally:
                del self._busy[actor]

    def _take_batch(self) -> list[_Pending]:
        limit = min(self._batch_size, -(-len(self._queue) // len(self._actors)))
        batch = [self._queue.popleft()]
        while len(batch) < limit and self._queue and not (batch[0].alone or self._queue[0].alone):
            batch.append(self._queue.popleft())
        return batch

    async def _run_batch(self, actor: Any, batch: list[_Pending]) -> None:
        try:
            reply = _as_future(actor.check_many.remote([p.checks for p in batch]))
            answered = await self._wait_for_reply(actor, reply, len(batch))
            if answered is None:
                await self._restart(actor)
                self._blame(batch, "timeout", "the pool worker froze and was replaced")
                return
        except RayActorError:
            self.restarts += 1
            await self._wait_alive(actor)
            self._blame(batch, "error", "the pool worker died and was replaced")
            return
        except RayTaskError as error:
            raise PoolError(f"reward {self._kind.name!r} failed in its worker: {_cause(error)}") from error
        results, hung = answered
        if results is None:
            await self._restart(actor)
            self._blame(batch, "timeout", f"no answer after {self._timeout_s:g} s")
            return
        for pending, found in zip(batch, results, strict=True):
            _resolve(pending, found)
        if hung:
            await self._restart(actor)

    async def _wait_for_reply(self, actor: Any, reply: asyncio.Future[Any], size: int) -> Any:
        """The actor's reply, or None when it is frozen or past the sum of its deadlines."""
        loop = asyncio.get_running_loop()
        patience = self._timeout_s + GRACE_S
        deadline = loop.time() + self._settings.start_timeout_s + size * (patience + CHILD_GRACE_S)
        while loop.time() < deadline:
            if await self._came(actor, {reply}, LOOK_S):
                return reply.result()
            # a ping may wait for a check that holds the interpreter, so it has as long as one may take
            ping = _as_future(actor.ping.remote())
            if not await self._came(actor, {reply, ping}, patience):
                return None
            if ping.done() and ping.exception() is not None and not reply.done():
                await asyncio.wait({reply}, timeout=patience)
        return None

    async def _came(self, actor: Any, awaited: set[asyncio.Future[Any]], patience: float) -> bool:
        """Whether one of them is there in time. A process that somebody stopped (SIGSTOP) is not waited for."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while (left := until - loop.time()) > 0:
            slice_s = min(STOPPED_LOOK_S, left)
            done, _ = await asyncio.wait(awaited, timeout=slice_s, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return True
            if actor in self._processes and is_stopped(self._processes[actor]):
                return False
        return False

    async def _restart(self, actor: Any) -> None:
        """End it, although a frozen or stopped process does not hear Ray's wish; Ray starts it again."""
        self.restarts += 1
        if actor in self._processes:
            end_process(self._processes[actor])
        ray.kill(actor, no_restart=False)
        await self._wait_alive(actor)

    async def _wait_alive(self, actor: Any) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        while loop.time() < started + RESTART_TIMEOUT_S:
            try:
                node, pid = await asyncio.wait_for(_as_future(actor.ping.remote()), RESTART_TIMEOUT_S)
                self._processes[actor] = ActorProcess(node, pid)
                return
            except (RayActorError, TimeoutError) as error:
                if isinstance(error, ActorDiedError) and loop.time() > started + DEAD_FOR_GOOD_S:
                    raise PoolError(f"a worker of reward {self._kind.name!r} died for good: {error}") from None
                await asyncio.sleep(0.2)
        raise PoolError(f"a worker of reward {self._kind.name!r} did not come back after {RESTART_TIMEOUT_S:g} s")

    def _blame(self, batch: list[_Pending], status: Status, reason: str) -> None:
        """Put the checks back into the queue, each alone; one that failed alone too often gets its status."""
        for pending in reversed(batch):
            pending.failures += pending.alone or len(batch) == 1
            pending.alone = True
            if pending.failures > self._settings.retries:
                _resolve(
                    pending,
                    [RewardResult(self._kind.name, None, status, reason, self._timeout_s)] * len(pending.checks),
                )
            else:
                self._queue.appendleft(pending)
        self._wake.set()


def _usual_batch(kind: RewardKind) -> int:
    slow = kind.isolated or (kind.timeout_s > 10 and not kind.batched)
    return ISOLATED_BATCH if slow else CHEAP_BATCH


def _resolve(pending: _Pending, results: list[RewardResult]) -> None:
    if not pending.answer.done():
        pending.answer.set_result(results)


def _fail(batch: Sequence[_Pending], error: Exception) -> None:
    for pending in batch:
        if not pending.answer.done():
            pending.answer.set_exception(error)


def _as_future(reference: Any) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.wrap_future(reference.future())
    future.add_done_callback(lambda done: done.cancelled() or done.exception())  # an abandoned one stays silent
    return future


def _cause(error: RayTaskError) -> str:
    cause = error.cause
    return f"{type(cause).__name__}: {cause}" if cause is not None else str(error)
