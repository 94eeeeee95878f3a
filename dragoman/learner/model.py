"""Models: build a small one from a recipe, load and save any in Hugging Face's format.

A saved folder opens with `transformers` and with vLLM as it is: config, safetensors, tokenizer.
Saving is atomic (written aside, then renamed), so a killed run never leaves half a model.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, Qwen3Config, Qwen3ForCausalLM
from transformers.utils.logging import disable_progress_bar

from dragoman.errors import DragomanError
from dragoman.files import publish_folder
from dragoman.learner import packed_attention
from dragoman.learner.settings import ModelSettings

CARRIED = ("generation_config.json", "PROVENANCE.json", "kept_tokens.json")
"""Files that go from parent to child as they are; the first may name more end tokens than the tokenizer"""


class ModelError(DragomanError):
    """A folder that does not hold a usable model; the text says what is missing."""


def build_model(numbers: ModelSettings, vocabulary_size: int, end_token: int, pad_token: int, seed: int) -> Any:
    """A Qwen3-architecture network with random weights (seeded).

    Qwen3 because both transformers and vLLM run it on CPU and GPU alike, tied head included.
    """
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=vocabulary_size,
        hidden_size=numbers.hidden_size,
        intermediate_size=numbers.intermediate_size,
        num_hidden_layers=numbers.layers,
        num_attention_heads=numbers.heads,
        num_key_value_heads=numbers.key_value_heads,
        head_dim=numbers.head_dimension,
        max_position_embeddings=numbers.context,
        tie_word_embeddings=numbers.tie_embeddings,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        eos_token_id=end_token,
        bos_token_id=None,
        pad_token_id=pad_token,
    )
    model = Qwen3ForCausalLM(config)
    # Residual branches start small in proportion to depth (GPT-2), which a short training needs.
    for name, parameter in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            torch.nn.init.normal_(parameter, std=0.02 / (2 * numbers.layers) ** 0.5)
    return model


def load_model(folder: Path, dtype: str, attention: str = "sdpa") -> Any:
    """The causal language model of a folder, in `dtype`, with its cache off."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json; give a folder in Hugging Face format")
    disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, dtype), attn_implementation=attention, local_files_only=True
    )
    check_attention(model.config, attention, folder)
    model.config.use_cache = False
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):  # log-probs must be those of the policy that sampled
            module.p = 0.0
    return model


def packed_model(folder: Path, dtype: str, attention: str) -> Any:
    """The model of a folder; under sdpa the documents of a row attend each on its own."""
    model = load_model(folder, dtype, attention)
    if attention == "sdpa":
        packed_attention.use(model)
    return model


def check_attention(config: Any, attention: str, folder: Path) -> None:
    """Raise `ModelError` for attention that leaves out the model's cap on attention logits (Gemma 2)."""
    if getattr(config, "attn_logit_softcapping", None) and attention == "sdpa":
        raise ModelError(
            f"{folder} caps its attention logits, which learner.attention=sdpa leaves out, so that log-probs would not "
            "be those of the engine; set learner.attention=eager or flash_attention_2"
        )


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder; it must carry a chat template."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ModelError(f"the tokenizer of {folder} has no chat template; add chat_template.jinja to it")
    return tokenizer


def save_model(folder: Path, weights: dict[str, torch.Tensor], source: Path) -> None:
    """Write `weights` as a Hugging Face folder with the config and tokenizer of `source`, atomically."""
    aside = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    config = AutoConfig.from_pretrained(source, local_files_only=True)
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config, dtype=next(iter(weights.values())).dtype)
    skeleton.save_pretrained(aside, state_dict=weights)
    load_tokenizer(source).save_pretrained(aside)
    for name in CARRIED:
        if (source / name).is_file():
            shutil.copy(source / name, aside)
    _check_saved(aside, weights)
    publish_folder(aside, folder)


def _check_saved(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    """The saved files hold every weight (a tied head is stored once)."""
    from safetensors import safe_open

    stored: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as handle:
            stored |= set(handle.keys())
    missing = set(weights) - stored
    if missing - {"lm_head.weight"}:
        raise ModelError(f"saving to {folder} lost {sorted(missing)[:3]}")
    json.loads((folder / "config.json").read_text(encoding="utf-8"))
