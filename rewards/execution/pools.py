"""Reward pools: one set of Ray actors per kind, so that a slow or dying kind never holds up another.

    score(row) -> one queue per kind -> actors take batches -> RewardResult per component -> mixing -> Score

`RewardPools` keeps its queues on an event loop in a thread of its own; it can be used from a plain driver
(`score_rows`) and from inside an asyncio actor (`await score`). Batches keep thousands of cheap checks at
few RPCs; a batch whose actor died or froze is repeated one check at a time, so that only the check
that did it is charged.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import ray

from dragoman.actors import Wait
from rewards.calling import unknown_arguments
from rewards.errors import PoolError, RewardError, RowError
from rewards.execution.check_metrics import CheckMetrics
from rewards.execution.kind_pool import KindPool
from rewards.mixing import Mixing, mix, part_of
from rewards.plugins import load_source, read_plugin
from rewards.records import RewardResult, RewardSpec, Row, Scorable, Score, Scorer, specs_of
from rewards.registry import find_kind
from rewards.settings import PoolSettings

T = TypeVar("T")
Asked = tuple[Sequence[RewardSpec], Row]
"""The components wanted, and the row with its response"""


class RewardPools(Scorer):
    """Scores rows with one pool of actors per reward kind.

    settings: {kind: PoolSettings}; kinds that are not named get the defaults.
    plugins: user's rewards as `path/to/file.py:function`, read here and shipped to the actors as text.
    """

    def __init__(
        self,
        settings: Mapping[str, PoolSettings] | None = None,
        plugins: Sequence[str] = (),
        run_name: str = "run",
        mixing: Mixing = "gated",
    ) -> None:
        if not ray.is_initialized():
            raise PoolError("RewardPools needs a Ray cluster; call ray.init() first")
        if mixing not in ("gated", "weighted"):
            raise PoolError(f"mixing is {mixing!r}; it must be 'gated' or 'weighted'")
        self._settings = dict(settings or {})
        self._plugins = tuple(read_plugin(reference) for reference in plugins)
        self.plugin_kinds = tuple(load_source(plugin) for plugin in self._plugins)
        """Names under which the plug-ins registered, in the order given."""
        for kind, chosen in self._settings.items():
            unknown = unknown_arguments(find_kind(kind), RewardSpec(kind, args=chosen.arguments))
            if unknown:
                raise PoolError(f"settings of reward {kind!r}: it takes no argument {unknown[0]!r}; remove it")
        self._run_name = run_name
        self._mixing: Mixing = mixing
        self._metrics = CheckMetrics(run_name)
        self._pools: dict[str, KindPool] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="reward-pools", daemon=True)
        self._thread.start()
        self._closed = False

    def start(self, kinds: Iterable[str]) -> None:
        """Start these pools and run their self-tests; raises before compute is spent when one cannot work."""
        self._submit(self._start(list(kinds))).result()

    async def start_async(self, kinds: Iterable[str]) -> None:
        """`start` for callers that run on an event loop."""
        await asyncio.wrap_future(self._submit(self._start(list(kinds))))

    async def score(self, prompt: Scorable, response: str) -> Score:
        return (await self.score_many([(prompt, response)]))[0]

    async def score_many(self, answers: Sequence[tuple[Scorable, str]]) -> list[Score]:
        return await asyncio.wrap_future(self._submit(self._score_many([_asked(p, text) for p, text in answers])))

    async def score_group(self, prompt: Scorable, responses: Sequence[str]) -> list[Score]:
        rows = [_asked(prompt, response)[1] for response in responses]
        return await asyncio.wrap_future(self._submit(self._score_group(prompt.specs, rows)))

    async def score_rows_async(self, rows: Sequence[Row]) -> list[Score]:
        """Scores of raw rows with a `response`, in order."""
        return await asyncio.wrap_future(self._submit(self._score_many([_parsed(row) for row in rows])))

    def score_rows(self, rows: Sequence[Row]) -> list[Score]:
        """`score_rows_async` for plain, synchronous callers."""
        return self._submit(self._score_many([_parsed(row) for row in rows])).result()

    def stats(self) -> dict[str, dict[str, Any]]:
        """{kind: {"counts": {status: n}, "mean_s", "p99_s"}} of the checks finished so far."""
        return self._metrics.snapshot()

    @property
    def restarts(self) -> int:
        """Actors that died or hung, and were started again."""
        return sum(pool.restarts for pool in self._pools.values())

    def waiting(self) -> list[Wait]:
        """Checks that actors have in hand."""
        return [wait for pool in list(self._pools.values()) for wait in pool.waiting()]

    def close(self) -> None:
        """Stop the actors and the loop; waiting scores fail with PoolError."""
        if self._closed:
            return
        self._submit(self._close()).result()
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> RewardPools:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Any:
        if self._closed:
            work.close()
            raise PoolError("these reward pools are closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _pool(self, kind: str) -> KindPool:
        if kind not in self._pools:
            settings = self._settings.get(kind, PoolSettings())
            self._pools[kind] = KindPool(find_kind(kind), settings, self._plugins, self._run_name)
        return self._pools[kind]

    async def _start(self, kinds: Sequence[str]) -> None:
        await asyncio.gather(*(self._pool(kind).prepare() for kind in dict.fromkeys(kinds)))

    async def _score_group(self, specs: Sequence[RewardSpec], rows: Sequence[Row]) -> list[Score]:
        columns = await asyncio.gather(*(self._check(spec, rows) for spec in specs))
        return [self._mix(specs, row, [column[k] for column in columns]) for k, row in enumerate(rows)]

    def _mix(self, specs: Sequence[RewardSpec], row: Row, results: Sequence[RewardResult]) -> Score:
        parts = [part_of(spec, result) for spec, result in zip(specs, results, strict=True)]
        return Score(str(row.get("id")), mix(parts, self._mixing), tuple(results))

    async def _score_many(self, asked: Sequence[Asked]) -> list[Score]:
        found = await asyncio.gather(*(self._score_group(specs, [row]) for specs, row in asked))
        return [score for (score,) in found]

    async def _check(self, spec: RewardSpec, rows: Sequence[Row]) -> list[RewardResult]:
        try:
            results = await self._pool(spec.kind).check(spec, rows)
        except PoolError:
            raise
        except RewardError as error:
            results = [RewardResult(spec.kind, None, "error", str(error))] * len(rows)
        for result in results:
            self._metrics.record(result)
        return results

    async def _close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def _asked(prompt: Scorable, response: str) -> Asked:
    return prompt.specs, {**prompt.columns, "response": response}


def _parsed(row: Row) -> Asked:
    try:
        return specs_of(row), row
    except (KeyError, TypeError, ValueError) as error:
        raise RowError(f"row {row.get('id')!r} has no proper 'rewards': {error!r}; see validate_rows") from None
