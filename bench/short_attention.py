"""Attention of short documents on CPU, forward and backward: products of matrices against torch's fused kernel.

    python bench/short_attention.py [--tokens 2048] [--rounds 9] [--threads 2]

Documents of 16 to 512 tokens that make `--tokens` together, heads as SmolLM2-135M has them (9, three to a key head, 64
wide), causal, both sides in turns, medians. Prints a table in milliseconds, the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch.nn.functional import scaled_dot_product_attention

from dragoman.learner.short_attention import short_attention

HEADS, GROUPS, SIZE = 9, 3, 64
WIDTHS = (16, 32, 64, 128, 256, 512)


def fused(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """torch's kernel."""
    return scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)


SIDES: dict[str, Callable[..., torch.Tensor]] = {"fused": fused, "products": short_attention}


def measure(width: int, dtype: torch.dtype, tokens: int, rounds: int) -> dict[str, float]:
    """Milliseconds of forward and backward of each side."""
    documents = max(1, tokens // width)
    shapes = [(documents, width, heads, SIZE) for heads in (HEADS, GROUPS, GROUPS)]
    inputs = [torch.randn(shape, dtype=dtype).transpose(1, 2).requires_grad_() for shape in shapes]
    upstream = torch.randn(documents, HEADS, width, SIZE, dtype=dtype)
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(rounds + 1):
        for side, function in SIDES.items():
            started = time.perf_counter()
            function(*inputs).backward(upstream)
            if number:
                seconds[side].append(time.perf_counter() - started)
    return {side: 1e3 * statistics.median(values) for side, values in seconds.items()}


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=2_048)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    table = Table("dtype", "document", "fused, ms", "products, ms", "ratio")
    found: list[dict[str, Any]] = []
    for dtype in (torch.bfloat16, torch.float32):
        for width in WIDTHS:
            ms = measure(width, dtype, options.tokens, options.rounds)
            ratio = round(ms["fused"] / ms["products"], 2)
            name = str(dtype).removeprefix("torch.")
            found.append({"dtype": name, "width": width, **{s: round(v, 1) for s, v in ms.items()}, "ratio": ratio})
            table.add_row(name, str(width), *(f"{value:.1f}" for value in ms.values()), f"{ratio:.2f}")
    Console(width=80).print(table)
    print(json.dumps({"threads": options.threads, "tokens": options.tokens, "rows": found}))


if __name__ == "__main__":
    main()
