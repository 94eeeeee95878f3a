"""Between two checkpoints: weights interpolated linearly, file by file.

    merged = (1 - weight) * first + weight * second

A model after reinforcement learning and the one before it lie in one basin; between them is often a model that
translates nearly as well as the later and knows nearly as much as the earlier (WiSE-FT, arXiv 2109.01903; MiLMMT
merges its fine-tuned and its RL model half and half, arXiv 2608.10812). Sums are in float32, the result in the second
model's dtype and files. A tied head is stored once, as there; vLLM and transformers tie it again.
"""

import shutil
from pathlib import Path
from typing import Any

from dragoman.checkpoints.errors import CheckpointError
from dragoman.files import publish_folder

Shapes = dict[str, tuple[Path, list[int]]]
"""Every tensor of a folder by name: its file and shape"""


def interpolate(first: Path, second: Path, weight: float, target: Path) -> None:
    """Write (1 - weight) * `first` + weight * `second` as the folder `target`, atomically, a file in memory at a time.

    Config, tokenizer and layout are the second's. Raises `CheckpointError` where the two are not the same network, and
    ValueError for a weight outside [0, 1].
    """
    from safetensors.torch import save_file

    if not 0 <= weight <= 1:
        raise ValueError(f"the weight of the second model is {weight:g}; it must lie in [0, 1]")
    places, shapes = _shapes(first), _shapes(second)
    _check_same(first, places, second, shapes)
    aside = target.with_name(target.name + ".tmp")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(second, aside, ignore=shutil.ignore_patterns("*.safetensors"))
    for file in dict.fromkeys(file for file, _ in shapes.values()):
        names = [name for name, (where, _) in shapes.items() if where == file]
        merged = {}
        for name in names:
            one, other = _read(places[name][0], name), _read(file, name)
            merged[name] = one.float().lerp(other.float(), weight).to(other.dtype).contiguous()
        save_file(merged, aside / file.name, {"format": "pt"})
    publish_folder(aside, target)


def _shapes(folder: Path) -> Shapes:
    from safetensors import safe_open

    found: Shapes = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as handle:
            found |= {name: (file, handle.get_slice(name).get_shape()) for name in handle.keys()}  # noqa: SIM118
    if not found:
        raise CheckpointError(f"{folder} holds no weights (*.safetensors); give a folder that save_pretrained wrote")
    return found


def _check_same(first: Path, places: Shapes, second: Path, shapes: Shapes) -> None:
    """Raise `CheckpointError` unless both hold the same tensors."""
    only = sorted(set(places) ^ set(shapes))
    if only:
        holder, other = (first, second) if only[0] in places else (second, first)
        raise CheckpointError(
            f"{holder} holds {only[0]!r} and {other} does not, {len(only)} such tensors; merge two stages of one model"
        )
    for name, (_, shape) in shapes.items():
        if places[name][1] != shape:
            raise CheckpointError(
                f"{name!r} is {places[name][1]} in {first} and {shape} in {second}; merge two stages of one model "
                "and vocabulary"
            )


def _read(file: Path, name: str) -> Any:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as handle:
        return handle.get_tensor(name)
