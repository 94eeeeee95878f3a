"""The Ray actor of a reward pool: runs the checks of one kind.

Checks come in groups: those of all answers to one prompt for a group kind, each alone for any other. Sync functions
run one after another in a thread with a deadline; async functions run together on the actor's loop; isolated kinds run
in a killable child; batched functions get all checks in one call, whose deadline is that of one check, and group
functions one call a group. A batched call that raised is repeated check by check here; one that hung is given back
without results, and the pool repeats it check by check in a fresh actor. A thread that passed its deadline cannot be
killed, so the actor reports itself as hung and the pool replaces it. A function that holds the interpreter lock freezes
the whole actor; then `ping` stops answering and the pool replaces it too.
"""

import asyncio
import inspect
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ray

from dragoman.actors import write_stacks_on_signal
from rewards.calling import call, call_async, call_batch, call_group_async
from rewards.execution.children.server import ChildServer
from rewards.plugins import PluginSource, load_in_worker
from rewards.records import RewardResult, RewardSpec, Row
from rewards.registry import RewardKind, find_kind

CHILD_GRACE_S = 30.0
"""Added to an isolated check's deadline: the child may have to be started first."""

Check = tuple[RewardSpec, Row]


class RewardWorker:
    """One member of a kind's pool."""

    def __init__(
        self,
        kind: str,
        plugins: Sequence[PluginSource],
        shipped: RewardKind | None,
        timeout_s: float,
        arguments: Mapping[str, Any],
    ) -> None:
        import rewards  # noqa: F401 - registers the built-in kinds

        write_stacks_on_signal(f"reward-{kind}")
        load_in_worker(plugins, shipped)
        self._kind = find_kind(kind)
        self._timeout_s = timeout_s
        self._arguments = arguments
        self._prepared = False
        self._hung = False
        self._threads = ThreadPoolExecutor(1)
        self._one_at_a_time = asyncio.Lock()
        self._children = ChildServer(kind, tuple(plugins)) if self._kind.isolated else None

    def __repr__(self) -> str:
        return f"RewardWorker({self._kind.name})"

    async def ping(self) -> tuple[str, int]:
        """Answers while the actor is not frozen: its node and its process."""
        return ray.get_runtime_context().get_node_id(), os.getpid()

    async def prepare(self) -> None:
        """Warm up and self-test; raises when this machine cannot run the kind."""
        async with self._one_at_a_time:
            if not self._prepared:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._prepare_blocking)
                self._prepared = True

    async def check_many(self, groups: Sequence[Sequence[Check]]) -> tuple[list[list[RewardResult]] | None, bool]:
        """Results in the order of the groups and their checks, and whether this actor holds a hung thread.

        None instead of results: a batched call hung and nobody knows on which check.
        """
        await self.prepare()
        if self._kind.group:
            return await self._check_groups(groups), self._hung
        results, hung = await self._check_alone([check for group in groups for check in group])
        rest = iter(results or ())
        return None if results is None else [[next(rest) for _ in group] for group in groups], hung

    async def _check_groups(self, groups: Sequence[Sequence[Check]]) -> list[list[RewardResult]]:
        if inspect.iscoroutinefunction(self._kind.function):
            return list(await asyncio.gather(*(self._check_group_async(group) for group in groups)))
        async with self._one_at_a_time:
            found = [await self._call_batch(group) for group in groups]
        return [given or [self._timed_out()] * len(group) for given, group in zip(found, groups, strict=True)]

    async def _check_group_async(self, group: Sequence[Check]) -> list[RewardResult]:
        try:
            return await asyncio.wait_for(call_group_async(self._kind, group), self._timeout_s)
        except TimeoutError:
            return [self._timed_out()] * len(group)

    async def _check_alone(self, checks: Sequence[Check]) -> tuple[list[RewardResult] | None, bool]:
        if self._kind.batched:
            async with self._one_at_a_time:
                return await self._check_batch(checks), self._hung
        if inspect.iscoroutinefunction(self._kind.function):
            results = await asyncio.gather(*(self._check_async(check) for check in checks))
            return list(results), self._hung
        async with self._one_at_a_time:
            return [await self._check_sync(check) for check in checks], self._hung

    async def _check_batch(self, checks: Sequence[Check]) -> list[RewardResult] | None:
        results = await self._call_batch(checks)
        if results is not None or self._hung:
            return results
        repeated: list[RewardResult] = []
        for check in checks:
            result = await self._call_batch([check])
            if result is None:
                return None
            repeated += result
        return repeated

    async def _call_batch(self, checks: Sequence[Check]) -> list[RewardResult] | None:
        """One call with the deadline of one check; None when it raised or hung on more than one."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, call_batch, self._kind, checks)
        try:
            return await asyncio.wait_for(work, self._timeout_s)
        except TimeoutError:
            self._replace_thread()
            return [self._timed_out()] if len(checks) == 1 else None

    async def _check_async(self, check: Check) -> RewardResult:
        try:
            return await asyncio.wait_for(call_async(self._kind, *check), self._timeout_s)
        except TimeoutError:
            return self._timed_out()

    async def _check_sync(self, check: Check) -> RewardResult:
        loop = asyncio.get_running_loop()
        if self._children is not None:
            work = loop.run_in_executor(self._threads, self._children.check, *check, self._timeout_s)
            deadline = self._timeout_s + CHILD_GRACE_S
        else:
            work = loop.run_in_executor(self._threads, call, self._kind, *check)
            deadline = self._timeout_s
        try:
            return await asyncio.wait_for(work, deadline)
        except TimeoutError:
            self._replace_thread()
            return self._timed_out()

    def _replace_thread(self) -> None:
        self._hung = True
        self._threads = ThreadPoolExecutor(1)

    def _prepare_blocking(self) -> None:
        if self._children is not None:
            self._children.start()
        elif self._kind.prepare is not None:
            known = inspect.signature(self._kind.prepare).parameters
            self._kind.prepare(**{name: value for name, value in self._arguments.items() if name in known})

    def _timed_out(self) -> RewardResult:
        reason = f"no answer after {self._timeout_s:g} s"
        return RewardResult(self._kind.name, None, "timeout", reason, self._timeout_s)
