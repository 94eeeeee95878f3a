"""Low-rank adapters (LoRA, arXiv 2106.09685; DoRA, arXiv 2402.09353) through peft, and weights as others want them.

Only the adapters are trained: gradients and optimiser states are those of some per cent of the model. Whoever gets
weights from the learner, an engine or a saved folder, gets merged ones under the names of the base model:

    LoRA: W + s B A          DoRA: m (W + s B A) / |W + s B A|, the norm taken of each output's row

The model without its adapters is the one that the stage began with: a reference model that costs nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import Module, Parameter

from dragoman.learner.settings import AdapterSettings
from dragoman.learner.value_head import is_of_value_head

ADAPTER = "default"
"""peft's name of the one adapter"""


@dataclass(frozen=True)
class ExportedWeight:
    """A weight of the model as others want it."""

    parameters: tuple[Parameter, ...]
    """What it is made of; under ZeRO-3 to be gathered before `value` is called"""
    shape: tuple[int, ...]
    value: Callable[[], Tensor]


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
    def value() -> Tensor:
        whole = weight.data.float() + scaling * (b.data.float() @ a.data.float())
        if magnitude is not None:
            whole = whole * (magnitude.data.float() / whole.norm(dim=1))[:, None]
        return whole.to(weight.dtype)

    return value


def _plain(parameter: Parameter) -> Callable[[], Tensor]:
    return lambda: parameter.data


def _shape(parameter: Parameter) -> tuple[int, ...]:
    return tuple(getattr(parameter, "ds_shape", parameter.shape))
