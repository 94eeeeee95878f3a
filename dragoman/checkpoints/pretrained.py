"""What a checkpoint of a user's is, read from its files without loading it, and what is wrong with it.

Sizes come from config.json and the headers of the safetensors files. Everything that would show after minutes of
loading or hours of training (no chat template, an end token that no turn ends with, a tokenizer that does not give
back its text) is found here and said in one sentence.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragoman.checkpoints.errors import CheckpointError

ROUND_TRIP = "Grüße aus Łódź, où ça va ? Niño: 3,5 % – “Žluťoučký kůň”\nДва {count} файла; 你好。"
"""Text that a multilingual tokenizer must give back unchanged"""
CHAT = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})


@dataclass(frozen=True)
class ModelShape:
    """The sizes that memory and time follow from."""

    parameters: int
    embeddings: int
    """Parameters of the input embeddings; a tied head is the same ones"""
    vocabulary: int
    hidden_size: int
    intermediate_size: int
    layers: int
    tied: bool
    """Whether the head is the embeddings"""
    context: int
    """Longest sequence the model was made for"""
    stored_bytes: int


def read_shape(folder: Path) -> ModelShape:
    """The sizes of a checkpoint; `CheckpointError` when the folder does not hold a causal language model's files."""
    config = _config(folder)
    config = config.get("text_config", config)
    tensors = _tensors(folder)
    sizes = {name: _count(entry["shape"]) for name, entry in tensors.items()}
    embeddings = next(
        (size for name, size in sizes.items() if "embed_tokens" in name or name.endswith("wte.weight")), 0
    )
    try:
        return ModelShape(
            sum(sizes.values()), embeddings, config["vocab_size"], config["hidden_size"],
            config.get("intermediate_size") or 4 * config["hidden_size"], config["num_hidden_layers"],
            not any(name.endswith("lm_head.weight") for name in sizes), config.get("max_position_embeddings", 0),
            sum(entry["data_offsets"][1] - entry["data_offsets"][0] for entry in tensors.values()),
        )  # fmt: skip
    except KeyError as error:
        raise CheckpointError(
            f"{folder}/config.json does not say {error}; give a causal language model's folder"
        ) from None


def with_vocabulary(shape: ModelShape, pieces: int) -> ModelShape:
    """The sizes with a vocabulary of so many pieces."""
    embeddings = pieces * shape.hidden_size
    cut = (shape.embeddings - embeddings) * (1 if shape.tied else 2)
    return replace(shape, parameters=shape.parameters - cut, embeddings=embeddings, vocabulary=pieces)


def check_pretrained(folder: Path, context: int) -> None:
    """Raise `CheckpointError` with the mend for a checkpoint that cannot be trained as a chat model of this context."""
    shape = read_shape(folder)
    if shape.context and context > shape.context:
        raise CheckpointError(
            f"model.context={context} is more than the {shape.context} positions {folder} was made for; lower it"
        )
    from dragoman.learner.model import load_tokenizer

    tokenizer = load_tokenizer(folder)
    _check_end_of_turn(folder, tokenizer)
    given = tokenizer.decode(tokenizer(ROUND_TRIP, add_special_tokens=False)["input_ids"])
    if given.strip() != ROUND_TRIP:
        raise CheckpointError(
            f"the tokenizer of {folder} does not give back its text ({ROUND_TRIP[:24]!r}… became {given[:24]!r}…): "
            "answers could not be compared with references; convert it again, or take the model's own tokenizer.json"
        )


def _check_end_of_turn(folder: Path, tokenizer: Any) -> None:
    whole = tokenizer.apply_chat_template(list(CHAT), tokenize=False)
    prompt = tokenizer.apply_chat_template(list(CHAT[:1]), tokenize=False, add_generation_prompt=True)
    answer = whole.removeprefix(prompt)
    if tokenizer.eos_token is None or tokenizer.eos_token not in answer:
        raise CheckpointError(
            f"no turn of the chat template of {folder} ends with the end token {tokenizer.eos_token!r} (an answer is "
            f"{answer!r}): answers would never stop; set eos_token in tokenizer_config.json to the token that ends a "
            "turn, and eos_token_id in config.json and generation_config.json to its number"
        )
    stops = _end_ids(folder)
    if stops and tokenizer.eos_token_id not in stops:
        raise CheckpointError(
            f"{folder} stops at tokens {sorted(stops)}, a turn ends with {tokenizer.eos_token_id} "
            f"({tokenizer.eos_token!r}); add that to eos_token_id in generation_config.json (and config.json)"
        )


def _end_ids(folder: Path) -> set[int]:
    """Tokens at which an engine stops, from the files."""
    found: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        if (folder / name).is_file():
            given = json.loads((folder / name).read_text(encoding="utf-8")).get("eos_token_id")
            found |= set(given if isinstance(given, list) else [] if given is None else [given])
    return found


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    if not file.is_file():
        raise CheckpointError(f"{folder} holds no config.json; give a folder in Hugging Face format")
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return config


def _tensors(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Entries of all safetensors headers (https://huggingface.co/docs/safetensors: length, then JSON)."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            found |= json.loads(stream.read(length))
    found.pop("__metadata__", None)
    if not found:
        raise CheckpointError(f"{folder} holds no *.safetensors; save the model with save_pretrained first")
    return found


def _count(shape: list[int]) -> int:
    result = 1
    for side in shape:
        result *= side
    return result
