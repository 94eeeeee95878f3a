"""Resumable states on disk: `checkpoints/step_000120/`, published by rename, newest kept.

A state is written into `step_000120.tmp`, synced to disk and renamed when every rank has written its
part; a killed run leaves at most a `.tmp` folder, which the next one ignores and removes.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_NAME = re.compile(r"^step_(\d+)$")


def tag_of(step: int) -> str:
    """Folder name of a published state."""
    return f"step_{step:08d}"


def work_tag(step: int) -> str:
    """Folder name while it is being written."""
    return tag_of(step) + ".tmp"


def latest_step(folder: Path) -> int | None:
    """The newest published step, or None."""
    steps = [int(m.group(1)) for p in folder.glob("step_*") if (m := _NAME.match(p.name))]
    return max(steps, default=None)


def publish(folder: Path, step: int, keep: int = 1) -> Path:
    """Rename a complete state into place and remove all but the newest `keep`."""
    aside, final = folder / work_tag(step), folder / tag_of(step)
    for file in aside.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    shutil.rmtree(final, ignore_errors=True)
    os.replace(aside, final)
    _sync_folder(folder)
    for path in sorted(p for p in folder.glob("step_*") if _NAME.match(p.name))[:-keep]:
        shutil.rmtree(path)
    return final


def discard(folder: Path) -> None:
    """Remove all states (a finished stage needs none)."""
    shutil.rmtree(folder, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
