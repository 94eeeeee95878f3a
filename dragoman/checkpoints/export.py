"""A trained model as others want it: in another dtype, with the whole vocabulary of the model it came from.

A float32 learner saves float32, twice the size of the bfloat16 checkpoint it began with. Rounding the last stage's
weights for use loses nothing that shows; rounding between stages would lose what a small learning rate changed.
"""

import shutil
from pathlib import Path

from dragoman.checkpoints.errors import CheckpointError
from dragoman.checkpoints.vocabulary import KEPT, restore
from dragoman.files import publish_folder


def export_model(trained: Path, target: Path, dtype: str, original: Path | None = None) -> None:
    """Write the model of `trained` in `dtype` as the folder `target`, atomically.

    `original`: the model whose vocabulary was cut, to put the cut pieces back. Raises `CheckpointError` when the target
    is there already, and when nothing was cut.
    """
    if target.exists():
        raise CheckpointError(f"{target} exists; name a folder that does not")
    if original is not None and not (trained / KEPT).is_file():
        raise CheckpointError(f"the vocabulary of {trained} is whole already; leave --whole-vocabulary out")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(target.name + ".whole")
    shutil.rmtree(aside, ignore_errors=True)
    if original is None:
        shutil.copytree(trained, aside)
    else:
        restore(trained, original, aside)
    _cast(aside, dtype)
    publish_folder(aside, target)


def _cast(folder: Path, dtype: str) -> None:
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    from dragoman.files import read_json, write_json

    wanted = getattr(torch, dtype)
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as handle:
            tensors = {name: handle.get_tensor(name).to(wanted) for name in handle.keys()}  # noqa: SIM118
        save_file(tensors, file, {"format": "pt"})
    write_json(folder / "config.json", {**(read_json(folder / "config.json") or {}), "dtype": dtype})
