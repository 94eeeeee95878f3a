"""Llama, Qwen2 and Gemma 3: what GGUF calls their weights and numbers, and what transformers calls them.

llama.cpp's converters change two things that have to be undone: rows of q and k of the Llama architecture are permuted
for its way of rotating (`undo_rotary_order`), and Gemma's norms, which multiply by 1 + w, are stored as 1 + w.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dragoman.packages.errors import PackageError
from dragoman.packages.gguf_file import Array, GgufFile

_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_AFTER_ATTENTION = {"ffn_norm": "post_attention_layernorm"}
_GEMMA_NORMS = {
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}


@dataclass(frozen=True)
class Architecture:
    """How one architecture is converted."""

    config_class: str
    """In transformers; the model's class is called alike"""
    model_class: str
    block: Mapping[str, str]
    """Weights of a block: GGUF's name -> ours"""
    biases: tuple[str, ...] = ()
    """Weights of a block that have a bias, too"""
    permuted: bool = False
    """Whether rows of q and k are in llama.cpp's order"""
    norm_offset: float = 0.0
    """What llama.cpp's converter added to every norm"""


ARCHITECTURES = {
    "llama": Architecture("LlamaConfig", "LlamaForCausalLM", _BLOCK | _AFTER_ATTENTION, permuted=True),
    "qwen2": Architecture(
        "Qwen2Config", "Qwen2ForCausalLM", _BLOCK | _AFTER_ATTENTION, biases=("attn_q", "attn_k", "attn_v")
    ),
    "gemma3": Architecture("Gemma3TextConfig", "Gemma3ForCausalLM", _BLOCK | _GEMMA_NORMS, norm_offset=1.0),
}


def architecture_of(file: GgufFile) -> Architecture:
    """PackageError names the architectures that can be converted."""
    if file.architecture not in ARCHITECTURES:
        raise PackageError(
            f"{file.path.name} is of the architecture {file.architecture!r}; "
            f"{', '.join(ARCHITECTURES)} can be converted"
        )
    return ARCHITECTURES[file.architecture]


def names_of(file: GgufFile) -> dict[str, str]:
    """GGUF's name -> ours, of every weight of the model.

    Raises PackageError when the file lacks one of them or holds one that is not known: nothing is left out silently.
    """
    own = architecture_of(file)
    wanted = {f"{theirs}.weight": f"{ours}.weight" for theirs, ours in _TOP.items()}
    for layer in range(int(file.number("block_count"))):
        for theirs, ours in own.block.items():
            for part in ("weight", "bias") if theirs in own.biases else ("weight",):
                wanted[f"blk.{layer}.{theirs}.{part}"] = f"model.layers.{layer}.{ours}.{part}"
    if "output.weight" not in file.tensor_names:
        del wanted["output.weight"]  # tied to the embeddings
    if odd := sorted(file.tensor_names ^ set(wanted)):
        what = "a weight that is not known here" if odd[0] in file.tensor_names else "no weight"
        raise PackageError(f"{file.path.name} has {what}, {odd[0]!r}; only plain {file.architecture} can be converted")
    return wanted


def restored(name: str, values: Array, file: GgufFile) -> Array:
    """The weight of a GGUF name as the model's code expects it."""
    own = architecture_of(file)
    if own.norm_offset and "norm" in name:
        return values - np.float32(own.norm_offset)
    if own.permuted and (match := re.fullmatch(r"blk\.\d+\.attn_(q|k)\.weight", name)):
        return undo_rotary_order(values, int(file.number(_HEADS[match[1]])))
    return values


_HEADS = {"q": "attention.head_count", "k": "attention.head_count_kv"}


def undo_rotary_order(values: Array, heads: int) -> Array:
    """Rows of each head from pairs side by side (0, 1, 2, …) to halves (0, 2, 4, … 1, 3, 5, …), for transformers."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, half, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def config_of(file: GgufFile) -> dict[str, Any]:
    """The numbers of the network, under transformers' names; `config_class` fills the rest with its defaults."""
    scaling = file.fields.get(f"{file.architecture}.rope.scaling.type", "none")
    if scaling != "none":
        raise PackageError(
            f"{file.path.name} stretches its positions ({scaling} scaling), which is not converted; "
            "take an unscaled file"
        )
    heads, width = int(file.number("attention.head_count")), int(file.number("embedding_length"))
    numbers: dict[str, Any] = {
        "vocab_size": len(file.field("tokenizer.ggml.tokens")),
        "hidden_size": width,
        "intermediate_size": int(file.number("feed_forward_length")),
        "num_hidden_layers": int(file.number("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(file.number("attention.head_count_kv")),
        "max_position_embeddings": int(file.number("context_length")),
        "rms_norm_eps": _short(file.number("attention.layer_norm_rms_epsilon")),
        "tie_word_embeddings": "output.weight" not in file.tensor_names,
    }
    theta = float(file.fields.get(f"{file.architecture}.rope.freq_base", 10_000.0))
    if file.architecture != "gemma3":
        return numbers | {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}
    return numbers | _gemma_numbers(file, theta)


def _gemma_numbers(file: GgufFile, theta: float) -> dict[str, Any]:
    """What Gemma 3 has besides: local layers rotate with 10,000 in llama.cpp's code, too, where no field says so."""
    head = int(file.number("attention.key_length"))
    return {
        "head_dim": head,
        "query_pre_attn_scalar": head,
        "sliding_window": int(file.number("attention.sliding_window")),
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": theta},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
    }


def _short(value: float) -> float:
    """A float32 as the shortest decimal that means it: 1e-05, not 9.99999974e-06."""
    return float(str(np.float32(value)))
