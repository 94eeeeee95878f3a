"""Load and run COMET models exactly as unbabel-comet does, without its trainer around each call.

`CometModel.predict` builds a Lightning trainer per call, which costs time and, on a GPU, moves the model there
and back. The steps inside are the library's own (`prepare_for_inference`, `predict_step`) and the batches are cut
as it cuts them (sorted by length of the source), so the figures are the same; tests/rewards/test_comet.py compares.

Runs inside the environment `comet` (requirements/comet.txt); importing this module needs none of its packages.
Source: Rei et al. 2020, 2022 (COMET, CometKiwi), Guerreiro et al. 2024 (XCOMET).
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rewards.errors import ModelUnavailable
from rewards.models.devices import assigned_device

Sample = Mapping[str, str]
"""`src`, `mt` and, where there is one, `ref`."""
MODELS_KEPT = 2
FORWARD_BATCH = 16
"""unbabel-comet's default batch size."""
_HUB_NAMES = "Unbabel/wmt22-comet-da, Unbabel/wmt22-cometkiwi-da, Unbabel/XCOMET-XL"


def resolve(model: str | None, kind: str) -> str:
    """The model's name as given; ModelUnavailable, which says what to do, when none was given."""
    if not model:
        raise ModelUnavailable(
            f"reward {kind!r} needs a model: set rewards.pools.{kind}.arguments.model in the recipe, or 'model' in the "
            f"reward's args, to the folder of a checkpoint or its name on the Hugging Face Hub ({_HUB_NAMES})"
        )
    return model


@lru_cache(maxsize=MODELS_KEPT)
def load_model(model: str) -> Any:
    """The model on this worker's device; ModelUnavailable names what is missing and what to do."""
    comet = import_comet()
    path = checkpoint_of(model)
    try:
        loaded = comet.load_from_checkpoint(str(path))
    except Exception as error:
        raise ModelUnavailable(
            f"COMET checkpoint {path} could not be loaded ({type(error).__name__}: {error}); it must have been saved "
            "by unbabel-comet, hparams.yaml two folders up, and its encoder (pretrained_model there) must be a local "
            "folder or in the Hugging Face cache"
        ) from error
    return loaded.eval().to(assigned_device())


def import_comet() -> Any:
    """The library; ModelUnavailable when this environment has none."""
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    try:
        import comet
    except ImportError as error:
        raise ModelUnavailable(
            f"unbabel-comet cannot be imported here ({error}); run `make comet`, and leave the pool's environment "
            "at 'comet' or set it to a Python that has the packages of requirements/comet.txt"
        ) from error
    return comet


def checkpoint_of(model: str) -> Path:
    """The file `model.ckpt` of a folder, of a file, or of a model on the Hub (its cache first)."""
    path = Path(model).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _inside(path)
    if path.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise ModelUnavailable(
            f"COMET model {model!r}: there is no such file or folder on this machine; give the folder that holds "
            f"hparams.yaml and checkpoints/model.ckpt, or a name on the Hugging Face Hub ({_HUB_NAMES})"
        )
    from huggingface_hub import snapshot_download

    try:
        return _inside(Path(snapshot_download(repo_id=model)))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"COMET model {model!r} is no folder here and could not be fetched from the Hugging Face Hub "
            f"({type(error).__name__}: {error}); download it elsewhere and give the path of its folder"
        ) from error


def predict(model: Any, samples: Sequence[Sample]) -> list[tuple[float, list[dict[str, Any]]]]:
    """Score and error spans (XCOMET; else empty) of each sample. All samples must have the same keys."""
    import numpy as np
    import torch

    order = np.argsort([len(sample["src"]) for sample in samples]).tolist()
    results: dict[int, tuple[float, list[dict[str, Any]]]] = {}
    for start in range(0, len(order), FORWARD_BATCH):
        indices = order[start : start + FORWARD_BATCH]
        batch = model.prepare_for_inference([dict(samples[index]) for index in indices])
        with torch.inference_mode():
            output = model.predict_step(model.transfer_batch_to_device(batch, model.device, 0))
        spans = _spans(output) or [[] for _ in indices]
        for index, score, found in zip(indices, output["scores"].tolist(), spans, strict=True):
            results[index] = (float(score), list(found))
    return [results[index] for index in range(len(samples))]


def _inside(folder: Path) -> Path:
    for file in (folder / "checkpoints" / "model.ckpt", folder / "model.ckpt"):
        if file.is_file():
            return file
    raise ModelUnavailable(
        f"COMET model folder {folder} has no checkpoints/model.ckpt; give the folder that unbabel-comet saved"
    )


def _spans(output: Any) -> list[list[dict[str, Any]]] | None:
    found: list[list[dict[str, Any]]] | None = output.get("metadata", {}).get("error_spans")
    return found
