"""Resumable states on disk: `checkpoints/step_000120/`, published by rename, newest kept.

A state is written into `step_000120.tmp`, synced to disk and renamed when every rank has written its
part; a killed run leaves at most a `.tmp` folder, which the next one ignores and removes.
"""

import re
import shutil
from pathlib import Path

from dragoman.files import publish_folder

_NAME = re.compile(r"^step_(\d+)$")


def tag_of(step: int) -> str:
    """Folder name of a published state."""
    return f"step_{step:08d}"


def work_tag(step: int) -> str:
    """Folder name while it is being written."""
    return tag_of(step) + ".tmp"


def published_tag(work: str) -> str:
    """What the folder of a `work_tag` is called once it is published."""
    return work.removesuffix(".tmp")


def latest_step(folder: Path) -> int | None:
    """The newest published step, or None."""
    steps = [int(m.group(1)) for p in folder.glob("step_*") if (m := _NAME.match(p.name))]
    return max(steps, default=None)


def publish(folder: Path, step: int, keep: int = 1) -> Path:
    """Rename a complete state into place and remove all but the newest `keep`."""
    final = folder / tag_of(step)
    publish_folder(folder / work_tag(step), final)
    for path in sorted(p for p in folder.glob("step_*") if _NAME.match(p.name))[:-keep]:
        shutil.rmtree(path)
    return final
