"""Resumable states on disk: `checkpoints/step_00000120/`, published by rename, the newest two kept while a run goes on.

A state is written into `step_00000120.tmp`, synced to disk and renamed when every rank has written its part; a killed
run leaves at most a `.tmp` folder, which the next one ignores and removes. The state before the newest stays until the
next one is begun: ranks that are started again may be reading it when the newest is published. So there are never more
than two on disk, one that is being written included.

`Snapshots` writes them beside training:

    at the boundary of a step   every rank copies what it would write to host memory    (training waits)
    while the next steps train  the ranks write their copies -> all files on disk -> renamed into place
    before the next snapshot, a read, the end of the run                                (wait until that is done)
"""

import asyncio
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import ray

from dragoman.actors import told
from dragoman.errors import DragomanError
from dragoman.files import publish_folder
from dragoman.learner.trainer import Trainer

_NAME = re.compile(r"^step_(\d+)$")


def tag_of(step: int) -> str:
    """Folder name of a published state."""
    return f"step_{step:08d}"


def work_tag(step: int) -> str:
    """Folder name while it is being written."""
    return work_tag_of(tag_of(step))


def work_tag_of(published: str) -> str:
    """What the folder of a published state was called while it was being written."""
    return published + ".tmp"


def published_tag(work: str) -> str:
    """What the folder of a `work_tag` is called once it is published."""
    return work.removesuffix(".tmp")


def latest_step(folder: Path) -> int | None:
    """The newest published step, or None."""
    steps = [int(m.group(1)) for p in folder.glob("step_*") if (m := _NAME.match(p.name))]
    return max(steps, default=None)


def publish(folder: Path, step: int) -> None:
    """Rename a complete state into place."""
    publish_folder(folder / work_tag(step), folder / tag_of(step))


def remove_older(folder: Path) -> None:
    """Remove all published states but the newest."""
    for path in sorted(p for p in folder.glob("step_*") if _NAME.match(p.name))[:-1]:
        shutil.rmtree(path)


class SnapshotFailed(DragomanError):
    """A resumable state could not be written."""


class Snapshots:
    """The resumable states of a stage in `folder`; one event loop, at most one write in flight."""

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        self.trainer, self.folder = trainer, folder
        self._writing: asyncio.Task[None] | None = None
        self._told = False
        """Whether its end was told to somebody"""

    async def take(self, step: int, beside: Mapping[str, bytes] | None = None) -> None:
        """Copy the state after `step` steps, and `beside`, files by name; returns when the trainer may go on.

        It is written from then on. Raises what `written` raises of the one before.
        """
        await self.written()
        await asyncio.to_thread(self._prepare, step)
        await self.trainer.copy_checkpoint(self.folder, work_tag(step))
        self._writing, self._told = asyncio.create_task(self._write(step, beside or {})), False

    async def written(self) -> None:
        """Wait for the write in flight. Raises SnapshotFailed if it could not be finished."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
            self.check()

    def check(self) -> None:
        """Raise the error of a write that has failed, without waiting for one that goes on."""
        if self._writing is not None and self._writing.done():
            self._told = True
            self._writing.result()

    async def finish(self) -> None:
        """Wait for the write in flight and keep the newest state only."""
        await self.written()
        await asyncio.to_thread(remove_older, self.folder)

    async def settle(self) -> None:
        """After an error: wait for the write in flight; its own error, if nobody was told it, goes to the console."""
        if self._writing is not None and not self._told:
            await asyncio.wait({self._writing})
            if (error := self._writing.exception()) is not None:
                print(f"warning: {error}", flush=True)

    async def load(self) -> int | None:
        """Bring the trainer back to the newest state; the steps done then, None where there is no state."""
        await self.written()
        step = latest_step(self.folder)
        if step is not None:
            await self.trainer.load_checkpoint(self.folder, tag_of(step))
        return step

    def _prepare(self, step: int) -> None:
        """Room for the next state, and its folder, empty."""
        remove_older(self.folder)
        shutil.rmtree(self.folder / work_tag(step), ignore_errors=True)  # of an attempt that was killed
        (self.folder / work_tag(step)).mkdir(parents=True)

    async def _write(self, step: int, beside: Mapping[str, bytes]) -> None:
        try:
            await self.trainer.write_checkpoint()
            await asyncio.to_thread(self._complete, step, beside)
        except (OSError, ray.exceptions.RayTaskError) as error:
            reason = told(error.cause) if isinstance(error, ray.exceptions.RayTaskError) else told(error)
            newest = latest_step(self.folder)
            left = "no earlier one is there" if newest is None else f"the newest whole one is {tag_of(newest)}"
            raise SnapshotFailed(
                f"the snapshot after step {step} could not be written to {self.folder}: {reason}; {left}: make room or "
                "see to the folder's rights, then the same command goes on from it"
            ) from error

    def _complete(self, step: int, beside: Mapping[str, bytes]) -> None:
        for name, content in beside.items():
            (self.folder / work_tag(step) / name).write_bytes(content)
        publish(self.folder, step)
