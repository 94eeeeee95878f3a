"""A learner that outlives its ranks: what changed the weights since the newest checkpoint is kept, and done again.

    a rank dies or hangs -> all ranks end -> new ones start -> the stage's model -> the newest checkpoint
                         -> every step since then, from the journal -> the call that failed goes on

A step is decided by its batch, its rate and the state before it, so the weights are the very ones that were lost:
nobody above learns of it, engines and versions stay right, and nothing has to be sampled again. The journal lies on
disk, a file a step, and begins anew with each checkpoint. Calls that were under way when a rank was lost take their
results from the journal's second run, in the order in which they were made. `learner.max_restarts` bounds it.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from ray import cloudpickle

from dragoman.actors import ANYWHERE, Places, Wait
from dragoman.errors import DragomanError, InfraFailure
from dragoman.learner.checkpoints import published_tag, work_tag_of
from dragoman.learner.clock import WeightClock
from dragoman.learner.group import LearnerFailure, LearnerGroup
from dragoman.learner.losses import Loss
from dragoman.learner.objective import Objective
from dragoman.learner.packing import Unit
from dragoman.learner.settings import LearnerSettings, OptimiserSettings
from dragoman.learner.trainer import Channel, Sent, Trainer
from dragoman.learner.value_head import ValueHead

if TYPE_CHECKING:
    from dragoman.learner.weight_channel import Bucket

Result = TypeVar("Result")
Call = Callable[[LearnerGroup], Awaitable[Any]]


class LearnerLost(DragomanError):
    """The ranks were lost more often than the recipe allows."""


class TransferBroken(InfraFailure):
    """The ranks were started again amid a weight transfer: they are what they were, their channel is gone."""


@dataclass
class Entry:
    """A call that changed the weights."""

    file: Path
    metrics: dict[str, float] | None = None


@dataclass(frozen=True)
class Mark:
    """A checkpoint, and how much of the journal it holds."""

    folder: Path
    tag: str
    entries: int

    @property
    def published(self) -> bool:
        """Whether it was finished; a newer one may have replaced it since."""
        return (self.folder / self.tag).is_dir()


class SurvivingLearner(Trainer):
    """A learner group, and another one when that is lost. journal: a folder of its own, removed at the end."""

    def __init__(self, settings: LearnerSettings, run_name: str, journal: Path, places: Places = ANYWHERE) -> None:
        self.settings, self.run_name, self.journal, self.places = settings, run_name, journal, places
        self.group = LearnerGroup(settings, run_name, places=places)
        self.clock, self.generation = WeightClock(), 0
        self._setup: list[Call] = []
        self._entries: list[Entry] = []
        self._marks: list[Mark] = []
        self._copied = False
        """Whether the last mark is of a copy that is being written"""
        self._written = 0
        self._mending = asyncio.Lock()

    @property
    def restarts(self) -> int:
        """How often the ranks were started again."""
        return self.generation

    def waiting(self) -> list[Wait]:
        """Calls that the ranks have not ended yet."""
        return self.group.waiting()

    async def start(self) -> None:
        """Form the process group; an error here is not tried again."""
        await self.group.start()

    async def load(
        self, folder: Path, optimiser: OptimiserSettings, seed: int, value_head: ValueHead | None = None
    ) -> None:
        """Model of `folder` under a fresh optimiser: a stage begins, and the journal with it."""
        await self.clock.change()
        self._forget(0)
        self._setup, self._marks, self._copied = [], [], False
        await self._set_up(lambda group: group.load(folder, optimiser, seed, value_head))

    async def load_frozen(self, name: str, folder: Path) -> None:
        await self._set_up(lambda group: group.load_frozen(name, folder))

    async def load_checkpoint(self, folder: Path, tag: str) -> None:
        await self.clock.change()
        self._forget(0)
        await self._again(lambda group: group.load_checkpoint(folder, tag))
        self._marks, self._copied = [Mark(folder, tag, 0)], False

    async def copy_checkpoint(self, folder: Path, tag: str) -> None:
        await self._again(lambda group: group.copy_checkpoint(folder, tag))
        self._marks.append(Mark(folder, published_tag(tag), len(self._entries)))
        self._copied = True

    async def write_checkpoint(self) -> None:
        """See `Trainer.write_checkpoint`; ranks that are lost meanwhile take the copy again when they come by."""
        await self._again(lambda group: group.write_checkpoint())
        self._copied = False

    async def train_step(self, objectives: Sequence[Objective], learning_rate: float) -> dict[str, float]:
        await self.clock.change()
        return await self._journaled(partial(_train_step, list(objectives), learning_rate))

    async def refresh_frozen(self, name: str) -> None:
        await self._journaled(partial(_refresh_frozen, name))

    async def logprobs(
        self, units: Sequence[Unit], temperature: float = 1.0, frozen: str | None = None
    ) -> list[np.ndarray]:
        return await self._again(lambda group: group.logprobs(units, temperature, frozen))

    async def values(self, units: Sequence[Unit]) -> list[np.ndarray]:
        """See `LearnerGroup.values`."""
        return await self._again(lambda group: group.values(units))

    async def evaluate_loss(self, units: Sequence[Unit], loss: Loss, counts: Mapping[str, float]) -> dict[str, float]:
        return await self._again(lambda group: group.evaluate_loss(units, loss, counts))

    async def save(self, folder: Path) -> None:
        await self._again(lambda group: group.save(folder))

    async def buckets(self, limit_bytes: int) -> "list[Bucket]":
        return await self._again(lambda group: group.buckets(limit_bytes))

    async def address(self) -> tuple[str, int]:
        return await self._again(lambda group: group.address())

    async def open_channel(self, channel: Channel) -> None:
        await self._once(lambda group: group.open_channel(channel))

    async def send_bucket(self, bucket: "Bucket") -> Sent:
        return await self._once(lambda group: group.send_bucket(bucket))

    async def close_channel(self) -> None:
        await self._again(lambda group: group.close_channel())

    async def peak_memory_bytes(self) -> list[int]:
        """Per rank."""
        return await self._again(lambda group: group.peak_memory_bytes())

    def close(self) -> None:
        """End the actors."""
        self.group.close()
        shutil.rmtree(self.journal, ignore_errors=True)

    async def _set_up(self, call: Call) -> None:
        await self._again(call)
        self._setup.append(call)

    async def _again(self, call: Callable[[LearnerGroup], Awaitable[Result]]) -> Result:
        """A call that changes no weights, or all: made again on new ranks."""
        while True:
            group = self.group
            try:
                return await call(group)
            except LearnerFailure as error:
                await asyncio.shield(self._mend(group, error))

    async def _once(self, call: Callable[[LearnerGroup], Awaitable[Result]]) -> Result:
        """A call about a channel, which new ranks do not have."""
        group = self.group
        try:
            return await call(group)
        except LearnerFailure as error:
            await asyncio.shield(self._mend(group, error))
            raise TransferBroken(f"the learner was started again: {error}") from error

    async def _journaled(self, call: Call) -> dict[str, float]:
        """A call that changes the weights: written down first, its result taken from the second run if need be."""
        entry = self._write(call)
        group = self.group
        try:
            entry.metrics = await call(group)
        except LearnerFailure as error:
            await asyncio.shield(self._mend(group, error))
        assert entry.metrics is not None
        return entry.metrics

    async def _mend(self, lost: LearnerGroup, error: LearnerFailure) -> None:
        """New ranks with the state of the lost ones; once, however many calls noticed."""
        async with self._mending:
            while self.group is lost:
                if self.generation >= self.settings.max_restarts:
                    raise LearnerLost(
                        f"learner ranks were lost {self.generation + 1} times in this run (learner.max_restarts is "
                        f"{self.settings.max_restarts}); the last time: {error}; the same command goes on from the "
                        "newest checkpoint"
                    ) from error
                self.generation += 1
                print(f"learner: {error}; all ranks start again from the newest checkpoint", flush=True)
                lost.abandon()
                fresh = LearnerGroup(self.settings, self.run_name, self.generation, self.places)
                try:
                    await self._restore(fresh)
                except LearnerFailure as again:
                    lost, error = fresh, again
                except BaseException:
                    fresh.abandon()
                    raise
                self.group = fresh

    async def _restore(self, group: LearnerGroup) -> None:
        """Everything again on new ranks, calls that come meanwhile included: those before them are not over yet."""
        await group.start()
        for call in self._setup:
            await call(group)
        self._forget_saved()
        mark = next((mark for mark in reversed(self._marks) if mark.published), None)
        if mark is not None:
            await group.load_checkpoint(mark.folder, mark.tag)
        done = 0
        while True:
            if self._copied and self._marks[-1].entries == done:
                await group.copy_checkpoint(self._marks[-1].folder, work_tag_of(self._marks[-1].tag))
            if done == len(self._entries):
                break
            entry = self._entries[done]
            again: Call = cloudpickle.loads(entry.file.read_bytes())
            entry.metrics = await again(group)
            done += 1
        print(f"learner: back where it was, {done} calls since the newest checkpoint made again", flush=True)

    def _write(self, call: Call) -> Entry:
        self._forget_saved()
        self.journal.mkdir(parents=True, exist_ok=True)
        self._written += 1
        entry = Entry(self.journal / f"{self._written:08d}.pickle")
        entry.file.write_bytes(cloudpickle.dumps(call))
        self._entries.append(entry)
        return entry

    def _forget_saved(self) -> None:
        """Drop what the newest finished checkpoint holds."""
        mark = next((mark for mark in reversed(self._marks) if mark.published), None)
        if mark is not None and mark.entries:
            self._forget(len(self._entries) - mark.entries)
            later = self._marks[self._marks.index(mark) :]
            self._marks = [Mark(m.folder, m.tag, m.entries - mark.entries) for m in later]

    def _forget(self, keep: int) -> None:
        """Drop all of the journal but its last entries."""
        gone = len(self._entries) - keep
        for entry in self._entries[:gone]:
            entry.file.unlink(missing_ok=True)
        self._entries = self._entries[gone:]


async def _train_step(objectives: Sequence[Objective], learning_rate: float, group: LearnerGroup) -> dict[str, float]:
    return await group.train_step(objectives, learning_rate)


async def _refresh_frozen(name: str, group: LearnerGroup) -> dict[str, float]:
    await group.refresh_frozen(name)
    return {}
