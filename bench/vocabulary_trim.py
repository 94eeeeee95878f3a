"""A smaller vocabulary for a real model: outputs of kept pieces, parameters, and speed of a training step.

    python bench/vocabulary_trim.py [--model package:gemma3-270m] [--pieces 24000] [--accept-licence Gemma]

The pieces are those that the catalogs' texts use most (bench/real_data.py fetches them). Compared on 200 of these
texts that are made of kept pieces: their ids, and the logits of kept pieces in float32. Steps of 2,048 tokens in
bfloat16, whole and cut in turns. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def texts_of(data: Path) -> list[str]:
    """Documents of pretraining."""
    files = [data / "cpt_mono.jsonl", data / "cpt_parallel.jsonl"]
    return [json.loads(line)["text"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def differences(whole: Path, small: Path, kept: list[int], texts: list[str]) -> dict[str, float]:
    """Texts whose ids differ, and the largest difference of logits."""
    import torch

    from dragoman.learner.model import load_model, load_tokenizer

    new, known = {old: n for n, old in enumerate(kept)}, set(kept)
    first, second = load_tokenizer(whole), load_tokenizer(small)
    ids = [found for found in first(texts, add_special_tokens=False)["input_ids"] if known.issuperset(found)][:200]
    again = [second(first.decode(found), add_special_tokens=False)["input_ids"] for found in ids]
    other = sum([new[n] for n in found] != renumbered for found, renumbered in zip(ids, again, strict=True))
    models = load_model(whole, "float32"), load_model(small, "float32")
    largest = 0.0
    with torch.no_grad():
        for found in ids[:40]:
            wanted = models[0](torch.tensor([found])).logits[..., kept]
            given = models[1](torch.tensor([[new[n] for n in found]])).logits
            largest = max(largest, float((wanted - given).abs().max()))
    return {"texts": len(ids), "texts_with_other_ids": other, "largest_logit_difference": largest}


def step_seconds(folders: dict[str, Path], rounds: int) -> dict[str, float]:
    """Median seconds of a step of 2,048 tokens, in turns."""
    from transformers import AutoConfig

    from bench.learner_speed import loaded, objective
    from dragoman.learner import LearnerSettings

    learner = LearnerSettings(ranks=1, dtype="bfloat16", row_tokens=512, rows_per_micro_batch=4)
    ranks = {name: loaded(folder, learner) for name, folder in folders.items()}
    sizes = {name: AutoConfig.from_pretrained(folder).vocab_size for name, folder in folders.items()}
    work = {name: objective(2048, sizes[name], rank, learner) for name, rank in ranks.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ranks}
    for number in range(rounds + 1):
        for name, rank in ranks.items():
            started = time.perf_counter()
            rank.train_step(work[name], 1e-5)
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="package:smollm2-135m")
    parser.add_argument("--accept-licence", action="append", default=[])
    parser.add_argument("--pieces", type=int, default=16_000)
    parser.add_argument("--data", type=Path, help="rows of the catalogs; default: written anew")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    os.environ.setdefault("DS_LOG_LEVEL", "warning")
    from bench.vs_trl_real import written
    from dragoman.checkpoints.pretrained import read_shape
    from dragoman.checkpoints.vocabulary import pieces_to_keep, trim
    from dragoman.learner.model import load_tokenizer
    from dragoman.packages import resolve_model

    whole = resolve_model(options.model, tuple(options.accept_licence))
    with tempfile.TemporaryDirectory() as temporary:
        texts = texts_of(options.data or written(Path(temporary) / "data"))
        tokenizer, small = load_tokenizer(whole), Path(temporary) / "small"
        counts = Counter(n for ids in tokenizer(texts, add_special_tokens=False)["input_ids"] for n in ids)
        kept = pieces_to_keep(whole, counts, options.pieces)
        trim(whole, small, kept)
        shapes = {"whole": read_shape(whole), "cut": read_shape(small)}
        result: dict[str, Any] = {
            "pieces": {name: shape.vocabulary for name, shape in shapes.items()},
            "parameters": {name: shape.parameters for name, shape in shapes.items()},
            **differences(whole, small, kept, texts),
        }
        seconds = step_seconds({"whole": whole, "cut": small}, options.rounds)
    result["step_s"] = {name: round(value, 2) for name, value in seconds.items()}
    result["step_ratio"] = round(seconds["whole"] / seconds["cut"], 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
