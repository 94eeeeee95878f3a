"""Training tokens a second of the learner in float32 and bfloat16, interleaved, and how much of it is matrix products.

    python bench/learner_speed.py [--model FOLDER] [--tokens 2048] [--rounds 5] [--threads 2] [--set adapter.kind=lora]

Without a folder: a network of SmolLM2-135M's shape with random weights, which takes the same time. Rows of 512 tokens,
each full of documents of 8 to 128 tokens, loss on all of them. One optimiser step of `--tokens` tokens is timed;
rounds alternate between the dtypes, medians are printed. `gemm_share` is 6 x parameters x tokens/s over the rate at
which this machine multiplies bfloat16 matrices of 2048 x 2048, measured in the same run (a step without activation
checkpointing; attention and recomputed heads are work that the 6 does not count). Last line: JSON.

`--than COMMIT` takes turns with the float32 learner of an earlier commit, too, in a process of its own on a checkout of
it: `ratio_to_than` says how many times as fast bfloat16 is as that was.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = ("float32", "bfloat16")
ROW = 512
THAN = "than"

Step = Callable[[], float]
"""One optimiser step; its seconds"""


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

    values: dict[str, Any] = {
        "dtype": dtype, "ranks": 1, "row_tokens": ROW, "rows_per_micro_batch": arguments.rows,
        "threads": arguments.threads,
    }  # fmt: skip
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


def step_of(rank: Any, arguments: argparse.Namespace, folder: Path) -> Step:
    """A step of a rank, ready to be timed."""
    from transformers import AutoConfig

    work = objective(arguments.tokens, AutoConfig.from_pretrained(folder).vocab_size, rank, rank.settings)

    def step() -> float:
        started = time.perf_counter()
        rank.train_step(work, 1e-5)
        return time.perf_counter() - started

    return step


@contextmanager
def earlier(commit: str, arguments: argparse.Namespace, folder: Path) -> Iterator[Step]:
    """A float32 step of the learner at a commit, in a process of its own that steps when it is asked to."""
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as temporary:
        checkout = Path(temporary) / "checkout"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(checkout), commit], cwd=root, check=True)
        sizes = [f"--{name}={getattr(arguments, name)}" for name in ("tokens", "rows", "threads")]
        command = [sys.executable, __file__, "--model", str(folder), "--dtypes", "float32", "--when-asked", *sizes]
        environment = os.environ | {"PYTHONPATH": str(checkout)}
        try:
            with subprocess.Popen(
                command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as process:
                yield lambda: _asked(process)
                process.communicate()
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(checkout)], cwd=root, check=True)


def _asked(process: subprocess.Popen[str]) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    print("step", file=process.stdin, flush=True)
    for line in process.stdout:
        if line.startswith(THAN):
            return float(line.split()[1])
    raise SystemExit(f"the learner of the earlier commit ended with {process.wait()}; its output is above")


def when_asked(arguments: argparse.Namespace) -> None:
    """The other end of `earlier`: one step for each line of standard input."""
    step = step_of(loaded(arguments.model, learner_settings(arguments, "float32")), arguments, arguments.model)
    for _ in sys.stdin:
        print(THAN, step(), flush=True)


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Medians of alternating steps."""
    import torch

    from dragoman.pipeline.machine import multiplication_rate

    ranks = {dtype: loaded(folder, learner_settings(arguments, dtype)) for dtype in arguments.dtypes}
    steps = {dtype: step_of(rank, arguments, folder) for dtype, rank in ranks.items()}
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        if arguments.than:
            steps[THAN] = stack.enter_context(earlier(arguments.than, arguments, folder))
        for number in range(arguments.rounds + 1):
            for name, step in steps.items():
                taken = step()
                if number:  # the first step fills caches
                    seconds.setdefault(name, []).append(taken)
    speed = {name: arguments.tokens / statistics.median(values) for name, values in seconds.items()}
    some = next(iter(ranks.values()))
    parameters = sum(p.numel() for p in some.engine.engine.module.parameters())
    rate = multiplication_rate("bfloat16", 2048, seconds=2.0)
    result: dict[str, Any] = {
        "parameters": parameters, "threads": torch.get_num_threads(),
        "tokens_per_second": {d: round(v, 1) for d, v in speed.items()}, "gemm_gflops": round(rate / 1e9),
        "peak_gib": round(some.peak_memory_bytes() / (1 << 30), 2),
    }  # fmt: skip
    for than, name in (("float32", "ratio_to_float32"), (THAN, "ratio_to_than")):
        if {"bfloat16", than} <= set(speed):
            result[name] = round(speed["bfloat16"] / speed[than], 3)
    if "bfloat16" in speed:
        result["gemm_share"] = round(6 * parameters * speed["bfloat16"] / rate, 3)
    if arguments.profile:
        profile(steps[arguments.dtypes[-1]])
    return result


def profile(step: Step) -> None:
    """Where one step's time goes."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    with record(activities=[ProfilerActivity.CPU]) as found:
        step()
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
    parser.add_argument("--than", metavar="COMMIT", help="an earlier commit whose float32 learner takes turns")
    parser.add_argument("--when-asked", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true", help="print where a step's time goes")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    os.environ.setdefault("DS_LOG_LEVEL", "warning")
    if arguments.when_asked:
        return when_asked(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.model or random_model(Path(temporary) / "model")
        print(json.dumps(measure(arguments, folder)))


if __name__ == "__main__":
    main()
