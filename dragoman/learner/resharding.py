"""A resumable state read by another number of ranks than wrote it.

Without ZeRO every rank reads the one file there is. Under ZeRO each rank wrote its slice of weights and moments; they
are put together by parameter first, in the universal form of DeepSpeed (arXiv 2406.18820), of which each rank reads
its own slice. That needs the space of the state twice more on disk for a while.
"""

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch

from dragoman.errors import DragomanError
from dragoman.files import read_json, write_json

FILE = "sharding.json"


class CheckpointMismatch(DragomanError):
    """A resumable state of another kind than the ranks that should load it."""


@dataclass(frozen=True)
class Sharding:
    """How a state is cut and in which precision."""

    ranks: int
    zero_stage: int
    dtype: str

    @classmethod
    def of(cls, state: Path) -> "Sharding":
        """That of a state on disk. Raises CheckpointMismatch where it does not say."""
        noted = read_json(state / FILE)
        if noted is None:
            raise CheckpointMismatch(f"{state} has no {FILE}, so it is no whole state; remove the folder")
        return cls(**noted)

    def write(self, state: Path) -> None:
        """Note it beside a state."""
        write_json(state / FILE, asdict(self))

    def check(self, written: "Sharding", folder: Path) -> None:
        """Any number of ranks may read a state. Raises CheckpointMismatch if anything else differs."""
        if (self.zero_stage, self.dtype) != (written.zero_stage, written.dtype):
            raise CheckpointMismatch(
                f"{folder} was written with learner.zero_stage={written.zero_stage} and learner.dtype={written.dtype}, "
                f"this run has {self.zero_stage} and {self.dtype}; finish the stage with the old ones (the number of "
                "ranks may change), or remove the folder to start the stage anew"
            )


@contextmanager
def universal_state(folder: Path, tag: str) -> Iterator[str]:
    """The tag of a state's universal form in the same folder, there as long as this lasts. A collective."""
    from deepspeed.checkpoint.ds_to_universal import main as convert

    target, first = folder / f"{tag}.universal", torch.distributed.get_rank() == 0
    if first:
        shutil.rmtree(target, ignore_errors=True)  # of an attempt that was killed
        asked = argparse.Namespace(
            input_folder=str(folder / tag), output_folder=str(target), num_extract_workers=1, num_merge_workers=1,
            keep_temp_folder=False, strict=True, inject_missing_state=True,
        )  # fmt: skip
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # its progress, a bar for each step
            convert(asked)
    torch.distributed.barrier()
    try:
        yield target.name
        torch.distributed.barrier()
    finally:
        if first:
            shutil.rmtree(target)
            (folder / "latest_universal").unlink(missing_ok=True)


@contextmanager
def reads_universal(engine: Any) -> Iterator[None]:
    """Inside, DeepSpeed's engine takes what it loads for a universal form.

    Under ZeRO 3 DeepSpeed 0.19.6 gives all groups the settings of the first, weight decay included, and all moments one
    count of steps, which each would raise: here groups keep their own settings, and moments get their own counts.
    """
    groups, moments = engine.optimizer.param_groups, engine.optimizer.optimizer.state
    own = [{name: value for name, value in group.items() if name != "params"} for group in groups]
    engine._config.load_universal_checkpoint = True
    try:
        yield
    finally:
        engine._config.load_universal_checkpoint = False
    for group, settings in zip(groups, own, strict=True):
        group.update(settings)
    for state in moments.values():
        state["step"] = state["step"].clone()
