"""The Ray actor of a reward pool: runs the checks of one kind.

Sync functions run one after another in a thread with a deadline; async functions run together on the actor's
loop; isolated kinds run in a killable child. A thread that passed its deadline cannot be killed, so the
actor reports itself as hung and the pool replaces it. A function that holds the interpreter lock freezes the
whole actor; then `ping` stops answering and the pool replaces it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rewards.calling import call, call_async, is_async
from rewards.children.server import ChildServer
from rewards.plugins import PluginSource, load_in_worker
from rewards.records import RewardResult, RewardSpec, Row
from rewards.registry import RewardKind, find_kind

CHILD_GRACE_S = 30.0
"""Added to an isolated check's deadline: the child may have to be started first."""

Check = tuple[RewardSpec, Row]


class RewardWorker:
    """One member of a kind's pool."""

    def __init__(
        self, kind: str, plugins: Sequence[PluginSource], shipped: RewardKind | None, timeout_s: float
    ) -> None:
        import rewards  # noqa: F401 - registers the built-in kinds

        load_in_worker(plugins, shipped)
        self._kind = find_kind(kind)
        self._timeout_s = timeout_s
        self._prepared = False
        self._hung = False
        self._threads = ThreadPoolExecutor(1)
        self._one_at_a_time = asyncio.Lock()
        self._children = ChildServer(kind, tuple(plugins)) if self._kind.isolated else None

    def __repr__(self) -> str:
        return f"RewardWorker({self._kind.name})"

    async def ping(self) -> bool:
        return True

    async def prepare(self) -> None:
        """Warm up and self-test; raises when this machine cannot run the kind."""
        async with self._one_at_a_time:
            if not self._prepared:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._prepare_blocking)
                self._prepared = True

    async def check_many(self, checks: Sequence[Check]) -> tuple[list[RewardResult], bool]:
        """Results in the order of `checks`, and whether this actor holds a hung thread."""
        await self.prepare()
        if is_async(self._kind):
            results = await asyncio.gather(*(self._check_async(check) for check in checks))
            return list(results), self._hung
        async with self._one_at_a_time:
            return [await self._check_sync(check) for check in checks], self._hung

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
            self._hung = True
            self._threads = ThreadPoolExecutor(1)
            return self._timed_out()

    def _prepare_blocking(self) -> None:
        if self._children is not None:
            self._children.start()
        elif self._kind.prepare is not None:
            self._kind.prepare()

    def _timed_out(self) -> RewardResult:
        reason = f"no answer after {self._timeout_s:g} s"
        return RewardResult(self._kind.name, None, "timeout", reason, self._timeout_s)
