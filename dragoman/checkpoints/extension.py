"""A larger vocabulary for a pretrained model: pieces that a set of texts is written in with fewer tokens.

    texts -> words in the tokenizer's own pieces -> byte-pair encoding goes on from there -> merges after all old ones
          -> each new piece's embedding is the mean of those of the old pieces it is made of

Old merges come first, so a text in which no new pair occurs is tokenised as before, and the logits of its old pieces
are the same. The softmax gives new pieces some of what the others had, so train on (cpt) before use.
"""

import heapq
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from dragoman.checkpoints.errors import CheckpointError
from dragoman.checkpoints.vocabulary import ROWS, read_values, rewrite, save_tensors, tensors_of
from dragoman.files import publish_folder

Merge = tuple[str, str]
_FEWEST = 2
"""Occurrences that a pair needs to become a piece"""


@dataclass(frozen=True)
class Extension:
    """What was added."""

    pieces: tuple[str, ...]
    tokens_before: int
    """Of the texts"""
    tokens_after: int


def extend(source: Path, target: Path, texts: Iterable[str], pieces: int) -> Extension:
    """Write the model of `source` with up to `pieces` more pieces as the folder `target`, atomically.

    `CheckpointError` for a tokenizer that is no byte-pair encoding, and for texts in which nothing comes twice.
    """
    from tokenizers import Tokenizer

    values = read_values(source / "tokenizer.json")
    if values["model"]["type"] != "BPE":
        raise CheckpointError(f"the tokenizer of {source} is {values['model']['type']}, not BPE; it cannot be extended")
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    words = words_in_pieces(tokenizer, texts)
    merges = learn_merges(words, pieces, frozenset(values["model"]["vocab"]))
    if not merges:
        raise CheckpointError("no pair of pieces comes twice in the texts; give more text, or another file")
    first = 1 + max(*values["model"]["vocab"].values(), *(t["id"] for t in values["added_tokens"]), -1)
    made = [[token.id for token in tokenizer.model.tokenize("".join(merge))] for merge in merges]
    _write(source, target, merges, first, made)
    before = sum(count * len(parts) for parts, count in words.items())
    return Extension(tuple("".join(m) for m in merges), before, before - saved(words, merges))


def words_in_pieces(tokenizer: Any, texts: Iterable[str]) -> Counter[tuple[str, ...]]:
    """How often each word, as the pieces it is written in, stands in the texts; words that need bytes are left out."""
    counts: Counter[str] = Counter()
    for text in texts:
        normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text
        found = tokenizer.pre_tokenizer.pre_tokenize_str(normal) if tokenizer.pre_tokenizer else [(normal, (0, 0))]
        counts.update(word for long, _ in found for word in long.replace("▁", "\0▁").split("\0") if word)
    words: Counter[tuple[str, ...]] = Counter()
    for word, count in counts.items():
        parts = tuple(token.value for token in tokenizer.model.tokenize(word))
        if "".join(parts) == word:
            words[parts] += count
    return words


def learn_merges(words: Mapping[tuple[str, ...], int], most: int, known: frozenset[str] = frozenset()) -> list[Merge]:
    """Byte-pair encoding: the most frequent pair becomes a piece, again and again; of equals the first in order."""
    parts, counts = [list(word) for word in words], list(words.values())
    pairs: Counter[Merge] = Counter()
    places: dict[Merge, set[int]] = defaultdict(set)
    for number, word in enumerate(parts):
        for pair in pairwise(word):
            pairs[pair] += counts[number]
            places[pair].add(number)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    merges: list[Merge] = []
    while heap and len(merges) < most:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            continue  # counted anew since
        if -count < _FEWEST:
            break
        if "".join(pair) in known:
            continue  # a piece that another way leads to: a merge of the same name would change old texts
        merges.append(pair)
        changed: set[Merge] = set()
        for number in places.pop(pair):
            old, new = parts[number], merged(parts[number], pair)
            for one in pairwise(old):
                pairs[one] -= counts[number]
            for one in pairwise(new):
                pairs[one] += counts[number]
                places[one].add(number)
            changed |= {*pairwise(old), *pairwise(new)}
            parts[number] = new
        for one in changed:
            heapq.heappush(heap, (-pairs[one], one))
    return merges


def merged(parts: Sequence[str], pair: Merge) -> list[str]:
    """A word after one merge, from left to right."""
    found: list[str] = []
    place = 0
    while place < len(parts):
        both = tuple(parts[place : place + 2]) == pair
        found.append("".join(pair) if both else parts[place])
        place += 2 if both else 1
    return found


def saved(words: Mapping[tuple[str, ...], int], merges: Sequence[Merge]) -> int:
    """Tokens that the merges spare in the texts."""
    spared = 0
    ranks = {merge: rank for rank, merge in enumerate(merges)}
    for word, count in words.items():
        parts = list(word)
        while ranked := [ranks[pair] for pair in pairwise(parts) if pair in ranks]:
            parts = merged(parts, merges[min(ranked)])
        spared += count * (len(word) - len(parts))
    return spared


def _write(source: Path, target: Path, merges: Sequence[Merge], first: int, made: Sequence[Sequence[int]]) -> None:
    aside = target.with_name(target.name + ".tmp")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for file in source.iterdir():
        if file.is_file() and file.suffix != ".safetensors" and not file.name.endswith(".index.json"):
            shutil.copy(file, aside)
    rewrite(aside / "tokenizer.json", lambda values: _with_merges(values, merges, first))
    size = max(int(read_values(source / "config.json")["vocab_size"]), first + len(merges))
    rewrite(aside / "config.json", lambda values: {**values, "vocab_size": size})
    save_tensors(
        aside,
        {name: _with_rows(t, first, made, size) if name.endswith(ROWS) else t for name, t in tensors_of(source)},
    )
    publish_folder(aside, target)


def _with_merges(values: dict[str, Any], merges: Sequence[Merge], first: int) -> dict[str, Any]:
    model = values["model"]
    as_text = bool(model["merges"]) and isinstance(model["merges"][0], str)
    model["merges"] += [" ".join(merge) if as_text else list(merge) for merge in merges]
    model["vocab"] |= {"".join(merge): first + number for number, merge in enumerate(merges)}
    return json.loads(json.dumps(values))  # type: ignore[no-any-return]


def _with_rows(tensor: Any, first: int, made: Sequence[Sequence[int]], size: int) -> Any:
    """The rows of the old pieces, and behind them each new one's mean."""
    import torch

    rows = torch.zeros(size, *tensor.shape[1:], dtype=tensor.dtype)
    rows[: len(tensor)] = tensor
    for number, ids in enumerate(made):
        rows[first + number] = tensor[list(ids)].float().mean(0).to(tensor.dtype)
    return rows
