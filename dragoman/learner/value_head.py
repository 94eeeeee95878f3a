"""A value head on the policy's last hidden state (PPO, arXiv 1707.06347; shared body).

    V_t = w h_{t-1} + b        what is still to be earned before token t, h_{t-1} being what its prediction is made from

It starts at 0, is part of DeepSpeed's module, hence of its optimiser, its shards and its resumable states, and is never
exported: engines and saved folders hold the language model alone.
"""

from dataclasses import dataclass
from typing import Any

NAME = "value_head"
"""Of the module in the model"""


@dataclass(frozen=True)
class ValueHead:
    """A value head to be trained with the policy."""

    learning_rate_factor: float = 1.0
    """Its learning rate as a multiple of the policy's: it learns from nothing"""


def add_value_head(model: Any) -> None:
    """Give a model a value head, all zeros, so that every rank begins with the same one."""
    import torch

    size = model.config.get_text_config().hidden_size
    head = torch.nn.Linear(size, 1, dtype=model.dtype)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    model.add_module(NAME, head)


def is_of_value_head(name: str) -> bool:
    """Whether a parameter of the module belongs to its value head."""
    return name.split(".")[0] == NAME
