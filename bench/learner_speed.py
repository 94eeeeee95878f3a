"""Training tokens a second of the learner in float32 and bfloat16, interleaved, and how much of it is matrix products.

    python bench/learner_speed.py [--model FOLDER] [--tokens 2048] [--rounds 5] [--threads 2] [--set adapter.kind=lora]

Without a folder: a network of SmolLM2-135M's shape with random weights, which takes the same time. Rows of 512 tokens,
each full of documents of 8 to 128 tokens, loss on all of them. One optimiser step of `--tokens` tokens is timed;
rounds alternate between the dtypes, medians are printed. `gemm_share` is 6 x parameters x tokens/s over the rate at
which this machine multiplies bfloat16 matrices of 2048 x 2048, measured in the same run (a step without activation
checkpointing; attention and recomputed heads are work that the 6 does not count). Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = ("float32", "bfloat16")
ROW = 512


def random_model(folder: Path) -> Path:
    """SmolLM2-135M's shape, random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, tie_word_embeddings=True, max_position_embeddings=2048,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def objective(tokens: int, vocabulary: int, rank: Any, learner: Any) -> list[Any]:
    """Cross-entropy on documents of 8 to 128 tokens, `tokens` in all, as one rank's shard."""
    from dragoman.learner.losses import CrossEntropy
    from dragoman.learner.objective import Objective, shards
    from dragoman.learner.packing import TokenSequence, pack

    rng, units, left = np.random.default_rng(0), [], tokens
    while left > 8:
        length = min(left, int(rng.integers(8, 129)))
        mask = np.ones(length, np.float32)
        mask[0] = 0
        units.append((TokenSequence(rng.integers(5, vocabulary, length).astype(np.int32), {"loss_mask": mask}),))
        left -= length
    batches = pack(units, ranks=1, row_tokens=learner.row_tokens, rows_per_micro_batch=learner.rows_per_micro_batch)
    return shards(Objective(units, CrossEntropy(), {"tokens": float(tokens)}), batches)


def learner_settings(arguments: argparse.Namespace, dtype: str) -> Any:
    """A learner of one rank with the overrides of the command line."""
    from dragoman.learner import LearnerSettings

    values: dict[str, Any] = {"dtype": dtype, "ranks": 1, "row_tokens": ROW, "rows_per_micro_batch": arguments.rows}
    for override in arguments.set:
        key, value = override.split("=", 1)
        *path, last = key.split(".")
        place = values
        for part in path:
            place = place.setdefault(part, {})
        place[last] = json.loads(value) if value[:1] in "0123456789tf{" else value
    return LearnerSettings.model_validate(values)


def loaded(folder: Path, learner: Any) -> Any:
    """A learner rank of this process with the model of a folder."""
    from dragoman.learner import OptimiserSettings
    from dragoman.learner.rank import LearnerRank

    rank = LearnerRank(0, learner)
    import torch

    if not torch.distributed.is_initialized():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        rank.connect("127.0.0.1", port)
    rank.load(str(folder), OptimiserSettings(), 0)
    return rank


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Medians of alternating steps."""
    import torch
    from transformers import AutoConfig

    from dragoman.pipeline.machine import multiplication_rate

    vocabulary = AutoConfig.from_pretrained(folder).vocab_size
    ranks = {dtype: loaded(folder, learner_settings(arguments, dtype)) for dtype in arguments.dtypes}
    work = {d: objective(arguments.tokens, vocabulary, r, r.settings) for d, r in ranks.items()}
    seconds: dict[str, list[float]] = {dtype: [] for dtype in ranks}
    for number in range(arguments.rounds + 1):
        for dtype, rank in ranks.items():
            started = time.perf_counter()
            rank.train_step(work[dtype], 1e-5)
            if number:  # the first step fills caches
                seconds[dtype].append(time.perf_counter() - started)
    speed = {dtype: arguments.tokens / statistics.median(values) for dtype, values in seconds.items()}
    some = next(iter(ranks.values()))
    parameters = sum(p.numel() for p in some.engine.engine.module.parameters())
    rate = multiplication_rate("bfloat16", 2048, seconds=2.0)
    result: dict[str, Any] = {
        "parameters": parameters, "threads": torch.get_num_threads(),
        "tokens_per_second": {d: round(v, 1) for d, v in speed.items()}, "gemm_gflops": round(rate / 1e9),
        "peak_gib": round(some.peak_memory_bytes() / (1 << 30), 2),
    }  # fmt: skip
    if len(speed) == 2:
        result["ratio_to_float32"] = round(speed["bfloat16"] / speed["float32"], 3)
    if "bfloat16" in speed:
        result["gemm_share"] = round(6 * parameters * speed["bfloat16"] / rate, 3)
    if arguments.profile:
        profile(ranks[arguments.dtypes[-1]], work[arguments.dtypes[-1]])
    return result


def profile(rank: Any, shards: list[Any]) -> None:
    """Where one step's time goes."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    with record(activities=[ProfilerActivity.CPU]) as found:
        rank.train_step(shards, 1e-5)
    print(found.key_averages().table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=50))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=2, help="rows of a micro-batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--set", action="append", default=[], help="a learner setting, e.g. adapter.kind=lora")
    parser.add_argument("--profile", action="store_true", help="print where a step's time goes")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    os.environ.setdefault("DS_LOG_LEVEL", "warning")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.model or random_model(Path(temporary) / "model")
        print(json.dumps(measure(arguments, folder)))


if __name__ == "__main__":
    main()
