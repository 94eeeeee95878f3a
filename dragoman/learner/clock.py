"""Which weights a learner holds, and a way to hold them still.

Engines that come late are given the weights of the last sync, and those are the learner's only as long as it has not
stepped since. So every call that changes weights passes `change`, and whoever sends weights does it inside `held`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class WeightClock:
    """Counts changes of the weights. One event loop."""

    def __init__(self) -> None:
        self.changes = 0
        self._holders = 0
        self._free = asyncio.Event()

    async def change(self) -> None:
        """Before a call that changes weights: waits while they are held. Does not yield when they are not."""
        while self._holders:
            await self._free.wait()
        self.changes += 1

    @asynccontextmanager
    async def held(self) -> AsyncIterator[int]:
        """Inside, calls that change weights wait; gives the count of changes."""
        self._holders += 1
        self._free.clear()
        try:
            yield self.changes
        finally:
            self._holders -= 1
            if not self._holders:
                self._free.set()
