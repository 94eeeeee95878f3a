"""Says what a run waits for when nothing has moved for a while, and lets the processes concerned write their stacks.

A part says what it waits for itself (`waiting`: the learner its call, the fleet its workers, the pools their checks);
the controller says what has moved. Every `rl.watchdog_s` without a move, one line names each wait with its seconds and
members, and the stacks of all threads of these members are in `<run>/stacks/`, written by the processes themselves, so
that also one which holds the interpreter lock is seen. One that was stopped writes nothing, which tells as much.
"""

import asyncio
import faulthandler
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from dragoman.actors import Wait, dump_stacks

LOOK_S = 1.0


@runtime_checkable
class Waiting(Protocol):
    """A part that knows what it waits for."""

    def waiting(self) -> list[Wait]:
        """Each wait of now."""


class Watchdog:
    """moved: anything that changes whenever the run gets on."""

    def __init__(
        self, parts: Iterable[object], moved: Callable[[], object], seconds: float, stacks: Path | None = None
    ) -> None:
        self.parts, self.moved, self.seconds, self.stacks = list(parts), moved, seconds, stacks

    async def watch(self) -> None:
        """Look once a second, for ever."""
        seen, still = self.moved(), 0.0
        while True:
            await asyncio.sleep(LOOK_S)
            now = self.moved()
            still, seen = (still + LOOK_S if now == seen else 0.0), now
            if still and still % self.seconds < LOOK_S and still >= self.seconds:
                self.report(still)

    def report(self, still: float) -> None:
        """One line for the console, and the stacks."""
        waits = [wait for part in self.parts if isinstance(part, Waiting) for wait in part.waiting()]
        said = "; ".join(f"{wait.name} ({wait.seconds:.0f} s: {', '.join(wait.members)})" for wait in waits)
        print(f"rl: nothing has moved for {still:.0f} s; waiting for {said or 'nothing that is known'}", flush=True)
        for process in {process for wait in waits for process in wait.processes}:
            dump_stacks(process)
        if self.stacks is not None:
            self.stacks.mkdir(parents=True, exist_ok=True)
            with (self.stacks / "driver.txt").open("a") as file:
                faulthandler.dump_traceback(file, all_threads=True)
            print(f"rl: stacks of the driver and of these are in {self.stacks}", flush=True)
