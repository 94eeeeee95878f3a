"""A smaller vocabulary for a pretrained model: the pieces that a set of texts uses, and what they are merged from.

Gemma 3 270M has 262,144 pieces for 140 languages; 168 of its 268 million parameters are their embeddings. A run in five
languages uses a tenth of them. Cutting the others leaves every output for a kept piece as it was, and tokenises a text
of kept pieces as before:

    byte-pair encoding merges the pair of lowest rank first. With every piece its intermediate pieces are kept, and
    every merge among kept pieces; so at each step of a word made of kept pieces the same pair is the lowest.

Texts with other pieces fall back to smaller ones, at the end to bytes, which are always kept. `kept_tokens.json` in the
folder holds the old numbers, with which `restore` puts the embeddings of the others back.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from dragoman.checkpoints.errors import CheckpointError
from dragoman.files import publish_folder, read_json, write_json

KEPT = "kept_tokens.json"
ROWS = ("embed_tokens.weight", "lm_head.weight", "lm_head.bias", "wte.weight")
"""Ends of the names of tensors that have one row for each piece"""
TOKEN_KEYS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")


def pieces_to_keep(folder: Path, counts: Mapping[int, int], pieces: int, always: Collection[int] = ()) -> list[int]:
    """Ids, ascending: the `pieces` most frequent and `always`, what they are merged from, bytes and special tokens.

    `counts`: occurrences by id. Raises `CheckpointError` for a tokenizer that is not byte-pair encoding.
    """
    tokenizer = read_values(folder / "tokenizer.json")
    model = tokenizer["model"]
    if model["type"] != "BPE":
        raise CheckpointError(f"the tokenizer of {folder} is {model['type']}, not BPE; leave model.kept_pieces empty")
    vocabulary, ranks = model["vocab"], {pair: n for n, pair in enumerate(_merges(model))}
    words = {number: piece for piece, number in vocabulary.items()}
    frequent = sorted((n for n in counts if n in words), key=lambda n: (-counts[n], n))[:pieces]
    kept = {number for number, piece in words.items() if _is_byte(piece)} | _special_ids(folder, tokenizer, counts)
    for number in {*frequent, *always} & words.keys():
        kept |= {vocabulary[piece] for piece in _intermediates(words[number], vocabulary, ranks)}
        kept.add(number)
    return sorted(kept)


def trim(source: Path, target: Path, kept: Sequence[int]) -> None:
    """Write the model of `source` with the pieces `kept` (ascending old ids) as the folder `target`, atomically."""
    aside = target.with_name(target.name + ".tmp")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    new = {old: number for number, old in enumerate(kept)}
    for file in source.iterdir():
        if file.is_file() and file.suffix != ".safetensors" and not file.name.endswith(".index.json"):
            shutil.copy(file, aside)
    rewrite(aside / "tokenizer.json", lambda values: _cut_tokenizer(values, new))
    for name in ("config.json", "generation_config.json"):
        if (aside / name).is_file():
            rewrite(aside / name, lambda values: _renumbered(values, new))
    if (aside / "tokenizer_config.json").is_file():
        rewrite(aside / "tokenizer_config.json", lambda values: _renumbered_decoder(values, new))
    write_json(aside / KEPT, {"vocabulary": _vocabulary_size(source), "kept": list(kept)})
    _write_rows(source, aside, kept)
    publish_folder(aside, target)


def restore(trained: Path, original: Path, target: Path) -> None:
    """Write the model of `trained`, which was trimmed from `original`, with the whole vocabulary again, atomically.

    Pieces that were cut have the embeddings that they have in `original`.
    """
    import torch

    kept = torch.tensor(read_values(trained / KEPT)["kept"])
    before = dict(tensors_of(original))
    aside = target.with_name(target.name + ".tmp")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    whole = {}
    for name, tensor in tensors_of(trained):
        if name.endswith(ROWS):
            rows = before[name].to(tensor.dtype)
            rows[kept] = tensor
            tensor = rows
        whole[name] = tensor
    save_tensors(aside, whole)
    for file in original.iterdir():
        if file.is_file() and file.suffix != ".safetensors" and not file.name.endswith(".index.json"):
            shutil.copy(file, aside)
    publish_folder(aside, target)


def _intermediates(piece: str, vocabulary: Mapping[str, int], ranks: Mapping[tuple[str, str], int]) -> set[str]:
    """The pieces that byte-pair encoding goes through on its way to `piece`, itself included."""
    parts = list(piece)
    passed = {part for part in parts if part in vocabulary}
    while ranked := [(ranks[pair], i) for i, pair in enumerate(pairwise(parts)) if pair in ranks]:
        _, i = min(ranked)
        parts[i : i + 2] = ["".join(parts[i : i + 2])]
        passed.add(parts[i])
    return passed


def _merges(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for merge in model["merges"]:
        first, second = merge.split(" ", 1) if isinstance(merge, str) else merge
        yield first, second


def _is_byte(piece: str) -> bool:
    """`<0x0A>` of a fallback to bytes, or one of the 256 letters that stand for bytes in byte-level encoding."""
    return (len(piece) == 1 and piece in _byte_letters()) or (piece.startswith("<0x") and len(piece) == 6)


def _byte_letters() -> set[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return set(ByteLevel.alphabet())


def _special_ids(folder: Path, tokenizer: Mapping[str, Any], counts: Mapping[int, int]) -> set[int]:
    """Added tokens that something uses: the texts, the chat template, the configuration."""
    files = ("tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json")
    named = "".join((folder / name).read_text(encoding="utf-8") for name in files if (folder / name).is_file())
    found = {t["id"] for t in tokenizer["added_tokens"] if counts.get(t["id"]) or _names(named, t["content"])}
    for name in ("config.json", "generation_config.json"):
        values = read_json(folder / name) or {}
        found |= {number for key in TOKEN_KEYS for number in _as_list(values.get(key))}
    return found | {tokenizer["model"]["vocab"][t] for t in (tokenizer["model"].get("unk_token"),) if t}


def _names(text: str, token: str) -> bool:
    return token in text or json.dumps(token)[1:-1] in text


def _cut_tokenizer(values: dict[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
    model = values["model"]
    vocabulary = {piece: new[old] for piece, old in model["vocab"].items() if old in new}
    model["merges"] = [list(m) for m in _merges(model) if all(p in vocabulary for p in (*m, "".join(m)))]
    model["vocab"] = vocabulary
    values["added_tokens"] = [{**t, "id": new[t["id"]]} for t in values["added_tokens"] if t["id"] in new]
    _renumber_templates(values.get("post_processor") or {}, new)
    return values


def _renumber_templates(processor: dict[str, Any], new: Mapping[int, int]) -> None:
    for inner in processor.get("processors", ()):
        _renumber_templates(inner, new)
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [new[old] for old in token["ids"]]


def _renumbered(values: dict[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
    if "vocab_size" in values:
        values["vocab_size"] = len(new)
    for key in TOKEN_KEYS:
        given = values.get(key)
        if given is not None:
            values[key] = [new[old] for old in given] if isinstance(given, list) else new[given]
    return values


def _renumbered_decoder(values: dict[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
    if "added_tokens_decoder" in values:
        decoder = values["added_tokens_decoder"]
        values["added_tokens_decoder"] = {str(new[int(k)]): token for k, token in decoder.items() if int(k) in new}
    return values


def _write_rows(source: Path, target: Path, kept: Sequence[int]) -> None:
    import torch

    chosen = torch.tensor(list(kept))
    save_tensors(target, {name: t[chosen] if name.endswith(ROWS) else t for name, t in tensors_of(source)})


def save_tensors(folder: Path, tensors: dict[str, Any]) -> None:
    """Weights as the one file of a folder."""
    from safetensors.torch import save_file

    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, folder / "model.safetensors", {"format": "pt"})


def tensors_of(folder: Path) -> Iterator[tuple[str, Any]]:
    """The weights of a folder, one after the other."""
    from safetensors import safe_open

    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as handle:
            yield from ((name, handle.get_tensor(name)) for name in handle.keys())  # noqa: SIM118


def _vocabulary_size(folder: Path) -> int:
    return int(read_values(folder / "config.json")["vocab_size"])


def read_values(file: Path) -> dict[str, Any]:
    """A JSON file of a folder; CheckpointError where it is missing."""
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; give a folder that save_pretrained wrote, tokenizer included")
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values


def rewrite(file: Path, change: Any) -> None:
    """A JSON file changed by a function of its values."""
    values = change(read_values(file))
    file.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")


def _as_list(value: Any) -> Iterable[int]:
    return value if isinstance(value, list) else [] if value is None else [value]
