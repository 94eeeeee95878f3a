"""A rank's part of a resumable state as a copy in host memory, taken at once and written later.

Where memory is short nothing is kept: each file is written when it is added (`learner.background_snapshots: false`).

DeepSpeed hands each of its files to a checkpoint engine; the one given here copies instead of writing. The copy shares
nothing with what is trained, so a thread may write it while the next step changes the weights. What shared storage in
the state (tied weights) shares it in the copy.
"""

import copy
from pathlib import Path
from typing import Any

import torch
from deepspeed.runtime.checkpoint_engine.torch_checkpoint_engine import TorchCheckpointEngine


class HostCopy:
    """The files of one rank for `folder`, in memory until they are written; on disk at once unless `kept`."""

    def __init__(self, folder: Path, *, kept: bool = True) -> None:
        self.folder, self.kept = folder, kept
        self._files: dict[str, Any] = {}

    def add(self, name: str, state: Any) -> None:
        """Take one file's content; nothing, if there is none."""
        if not state:
            return
        if self.kept:
            self._files[name] = to_host(state)
        else:
            torch.save(state, self.folder / name)

    def of_deepspeed(self, engine: Any) -> TorchCheckpointEngine:
        """A checkpoint engine that adds what DeepSpeed's engine would write."""
        return _Copying(engine, self)

    @property
    def size_bytes(self) -> int:
        """Host memory that its tensors take."""
        found: dict[int, int] = {}
        for state in self._files.values():
            _storages(state, found)
        return sum(found.values())

    def write(self) -> None:
        """Write all files, letting go of each when it is written. Raises OSError, or RuntimeError of a full disk."""
        while self._files:
            name, state = self._files.popitem()
            torch.save(state, self.folder / name)


class _Copying(TorchCheckpointEngine):  # type: ignore[misc]
    def __init__(self, engine: Any, held: HostCopy) -> None:
        super().__init__(engine._config)
        self.held = held

    def save(self, state_dict: Any, path: str) -> None:
        self.held.add(str(Path(path).relative_to(self.held.folder)), state_dict)


def to_host(state: Any, seen: dict[tuple[Any, ...], torch.Tensor] | None = None) -> Any:
    """A deep copy with every tensor in host memory; tensors that are the same memory are one tensor in it, too."""
    seen = {} if seen is None else seen
    if isinstance(state, torch.Tensor):
        key = (state.data_ptr(), state.device, state.dtype, state.shape, state.stride())
        if key not in seen:
            seen[key] = state.detach().to("cpu", copy=True)
        return seen[key]
    if isinstance(state, dict):
        copied = copy.copy(state)  # the class and its attributes: a module's state has its versions there
        for name, value in state.items():
            copied[name] = to_host(value, seen)
        return copied
    if type(state) in (list, tuple):
        return type(state)(to_host(value, seen) for value in state)
    return copy.deepcopy(state)


def _storages(state: Any, found: dict[int, int]) -> None:
    """Bytes of each storage below a state, by its address."""
    if isinstance(state, torch.Tensor):
        found[state.untyped_storage().data_ptr()] = state.untyped_storage().nbytes()
    elif isinstance(state, (dict, list, tuple)):
        for value in state.values() if isinstance(state, dict) else state:
            _storages(value, found)
