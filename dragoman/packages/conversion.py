"""A GGUF file as a folder in Hugging Face's format: config, weights, tokenizer, chat template, end tokens.

Two tokens end something and are told apart: `turn_end`, after an assistant's answer, is the tokenizer's `eos_token`, at
which engines stop; `document_end`, after a text of pretraining, is the tokenizer's `document_end_token` (an attribute
after loading, like `eos_token`) and stands second in generation_config.json, so that engines stop there, too.
"""

from pathlib import Path
from typing import Any

from dragoman.files import write_json, write_text
from dragoman.packages.architectures import architecture_of, config_of
from dragoman.packages.errors import PackageError
from dragoman.packages.gguf_file import GgufFile
from dragoman.packages.records import PackagedModel
from dragoman.packages.vocabularies import build_tokenizer
from dragoman.packages.weights import write_weights

CONVERTER_VERSION = 1
"""Raised with every change that alters what is written; a part of the cached folder's name"""


def convert(file: GgufFile, model: PackagedModel, folder: Path) -> int:
    """Write the files of `model` into an empty folder; returns the number of parameters.

    Raises PackageError for what cannot be converted.
    """
    tokenizer = build_tokenizer(file)
    ends = [_token_id(tokenizer, token, file) for token in (model.turn_end, model.document_end)]
    write_config(file, ends[0], folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", tokenizer_settings(file, model))
    write_text(folder / "chat_template.jinja", model.chat_template or str(file.field("tokenizer.chat_template")))
    write_json(folder / "generation_config.json", {
        "bos_token_id": file.fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": list(dict.fromkeys(ends)),
        "pad_token_id": _pad_id(file),
    })  # fmt: skip
    return write_weights(file, folder / "model.safetensors")


def write_config(file: GgufFile, end: int, folder: Path) -> None:
    """config.json, with transformers' defaults for what the file does not say."""
    import transformers

    own = architecture_of(file)
    config = getattr(transformers, own.config_class)(
        **config_of(file),
        architectures=[own.model_class],
        dtype="bfloat16",
        bos_token_id=file.fields.get("tokenizer.ggml.bos_token_id"),
        eos_token_id=end,
        pad_token_id=_pad_id(file),
    )
    config.save_pretrained(folder)


def tokenizer_settings(file: GgufFile, model: PackagedModel) -> dict[str, Any]:
    """tokenizer_config.json: which tokens are what."""
    tokens = file.field("tokenizer.ggml.tokens")
    named = {"bos_token": "bos_token_id", "unk_token": "unknown_token_id"}
    found = {name: tokens[int(file.fields[f"tokenizer.ggml.{field}"])]
             for name, field in named.items() if f"tokenizer.ggml.{field}" in file.fields}  # fmt: skip
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **found,
        "eos_token": model.turn_end,
        "pad_token": tokens[_pad_id(file)],
        "extra_special_tokens": {"document_end_token": model.document_end},
        "add_bos_token": bool(file.fields.get("tokenizer.ggml.add_bos_token", False)),
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": int(file.number("context_length")),
    }


def _pad_id(file: GgufFile) -> int:
    own = file.fields.get("tokenizer.ggml.padding_token_id")
    return int(file.field("tokenizer.ggml.eos_token_id") if own is None else own)


def _token_id(tokenizer: Any, token: str, file: GgufFile) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise PackageError(f"{file.path.name} has no token {token!r}, which is to end a turn or a document")
    return int(found)
