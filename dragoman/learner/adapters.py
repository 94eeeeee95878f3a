"""Low-rank adapters (LoRA, arXiv 2106.09685; DoRA, arXiv 2402.09353) through peft, and weights as others want them.

Only the adapters are trained: gradients and optimiser states are those of some per cent of the model. Saved folders
hold merged weights under the names of the base model:

    LoRA: W + s B A          DoRA: m (W + s B A) / |W + s B A|, the norm taken of each output's row

An engine is sent A, B and m alone, and merges them itself (`merged_weights`) with the W of the folder that the learner
began with, which both can read.

The model without its adapters is the one that the stage began with: a reference model that costs nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import Module, Parameter

from dragoman.learner.settings import AdapterSettings
from dragoman.learner.value_head import is_of_value_head

ADAPTER = "default"
"""peft's name of the one adapter"""
FACTORS = ("a", "b", "m")
"""What an adapted weight is made of beside itself: A, B and DoRA's magnitudes"""


@dataclass(frozen=True)
class ExportedWeight:
    """A weight of the model as others want it."""

    parameters: tuple[Parameter, ...]
    """What it is made of; under ZeRO-3 to be gathered before `value` is called"""
    shape: tuple[int, ...]
    value: Callable[[], Tensor]


@dataclass(frozen=True)
class AdapterBase:
    """What adapters belong to, for whoever merges them elsewhere."""

    folder: str
    """Of the base model, in Hugging Face format"""
    dtype: str
    """In which the learner holds it"""
    scaling: float


def add_adapters(model: Any, settings: AdapterSettings) -> Any:
    """The model with fresh adapters on every linear layer but the head; all else is frozen. A no-op begins."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha or 2 * settings.rank,
        use_dora=settings.kind == "dora",
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config, autocast_adapter_dtype=False)


def exported_weights(model: Any) -> dict[str, ExportedWeight]:
    """Every weight of the base model by its own name, with adapters merged; without a tied head or a value head."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    adapted = dict(_merged(base))
    found = {}
    for name, parameter in base.named_parameters():
        name = name.replace(".base_layer.", ".")
        if not is_of_value_head(name) and not any(part.startswith("lora_") for part in name.split(".")):
            found[name] = adapted.get(name) or ExportedWeight((parameter,), _shape(parameter), _plain(parameter))
    return found


def adapter_factors(model: Any) -> dict[str, ExportedWeight]:
    """A, B and, with DoRA, m of every adapted weight, as `WEIGHT#a`, `WEIGHT#b` and `WEIGHT#m`."""
    found = {}
    for name, weight in _merged(model.get_base_model()):
        _, *factors = weight.parameters
        for letter, factor in zip(FACTORS, factors, strict=False):
            found[f"{name}#{letter}"] = ExportedWeight((factor,), _shape(factor), _plain(factor))
    return found


def adapter_base(model: Any, folder: Path, dtype: str) -> AdapterBase | None:
    """What the adapters of a model were added to; None where its folder does not hold every adapted weight by its name,
    so that nobody else could merge them."""
    from peft.tuners.lora import LoraLayer

    layers: list[Any] = [module for module in model.modules() if isinstance(module, LoraLayer)]
    scalings = {layer.scaling[ADAPTER] for layer in layers}
    adapted = {name for name, _ in _merged(model.get_base_model())}
    if len(scalings) != 1 or not adapted <= set(stored_weights(folder)):
        return None
    return AdapterBase(str(folder), dtype, scalings.pop())


def stored_weights(folder: Path) -> dict[str, Path]:
    """The weights of a folder, each with its file."""
    from safetensors import safe_open

    found: dict[str, Path] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as handle:
            found |= dict.fromkeys(handle.keys(), file)
    return found


def merged_weights(base: AdapterBase, factors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Every weight of the base's folder, those with factors (named as by `adapter_factors`) merged with them."""
    import torch
    from safetensors import safe_open

    dtype = getattr(torch, base.dtype)
    for file in sorted(Path(base.folder).glob("*.safetensors")):
        with safe_open(file, framework="pt") as handle:
            for name in handle.keys():  # noqa: SIM118
                weight = handle.get_tensor(name).to(dtype)
                own = [factors.get(f"{name}#{letter}") for letter in FACTORS]
                a, b, magnitude = own
                yield name, weight if a is None or b is None else merge(weight, a, b, base.scaling, magnitude)


def _merged(base: Module) -> Iterator[tuple[str, ExportedWeight]]:
    from peft.tuners.lora import LoraLayer

    for name, module in base.named_modules():
        if isinstance(module, LoraLayer):
            layer: Any = module  # peft's own types say no more than Module
            weight = layer.get_base_layer().weight
            magnitude = layer.lora_magnitude_vector[ADAPTER].weight if layer.lora_magnitude_vector else None
            factors = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
            parts = (weight, *factors, *([] if magnitude is None else [magnitude]))
            merge = _merge(weight, *factors, layer.scaling[ADAPTER], magnitude)
            yield f"{name}.weight", ExportedWeight(parts, _shape(weight), merge)


def _merge(
    weight: Parameter, a: Parameter, b: Parameter, scaling: float, magnitude: Parameter | None
) -> Callable[[], Tensor]:
    return lambda: merge(weight.data, a.data, b.data, scaling, None if magnitude is None else magnitude.data)


def merge(weight: Tensor, a: Tensor, b: Tensor, scaling: float, magnitude: Tensor | None) -> Tensor:
    """weight [out, in] with a [rank, in], b [out, rank] and, with DoRA, magnitude [out]; in float32, then rounded."""
    whole = weight.float() + scaling * (b.float() @ a.float())
    if magnitude is not None:
        whole = whole * (magnitude.float() / whole.norm(dim=1))[:, None]
    return whole.to(weight.dtype)


def _plain(parameter: Parameter) -> Callable[[], Tensor]:
    return lambda: parameter.data


def _shape(parameter: Parameter) -> tuple[int, ...]:
    return tuple(getattr(parameter, "ds_shape", parameter.shape))
