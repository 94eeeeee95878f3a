"""Models held beside the policy and never trained: a reference, a teacher. Whole on every rank.

A reference may follow the policy: `refresh` copies the policy's weights into it, and from then on it belongs to the
resumable states, because no folder holds it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from dragoman.learner.device import device
from dragoman.learner.model import packed_model

FILE = "frozen.pt"


class FrozenModels:
    """By name; `base` is the folder whose architecture the policy has."""

    def __init__(self, base: Path, dtype: str, attention: str) -> None:
        self.base, self.dtype, self.attention = base, dtype, attention
        self._models: dict[str, Any] = {}
        self._refreshed: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def __getitem__(self, name: str) -> Any:
        return self._models[name]

    def load(self, name: str, folder: Path) -> None:
        """Hold the model of a folder."""
        self._models[name] = packed_model(folder, self.dtype, self.attention).to(device()).eval()
        self._refreshed.discard(name)

    def drop(self, name: str) -> None:
        """Hold it no longer."""
        self._models.pop(name, None)
        self._refreshed.discard(name)

    def refresh(self, name: str, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Put other weights, under the base model's names, into a model; one not yet held is made."""
        if name not in self._models:
            self.load(name, self.base)
        held = dict(self._models[name].named_parameters())
        for key, weight in weights:
            held[key].data.copy_(weight)
        self._refreshed.add(name)

    def refreshed(self) -> dict[str, Any]:
        """What a resumable state has to hold in `FILE`: the weights of the refreshed ones, by name."""
        return {name: self._models[name].state_dict() for name in sorted(self._refreshed)}

    def restore(self, folder: Path) -> None:
        """Back to what a resumable state holds."""
        if (folder / FILE).is_file():
            saved = torch.load(folder / FILE, map_location=device())
            for name, weights in saved.items():
                self.load(name, self.base)
                self._models[name].load_state_dict(weights)
                self._refreshed.add(name)

    def clear(self) -> None:
        """Hold nothing."""
        self._models.clear()
        self._refreshed.clear()
