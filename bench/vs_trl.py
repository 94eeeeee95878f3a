"""Reinforcement learning of a tiny model against TRL's GRPOTrainer, in turns: what a step costs beside its arithmetic.

    python bench/vs_trl.py [--rounds 2] [--steps 20] [--tasks short spread]

The task is that of `bench.tiny_rl`, with 3.2 million parameters. `short`: answers of at most 64 tokens; `spread`: of at
most 384, where most of a batch waits for its longest answers. Ours runs as a job, with staleness 0 and 1; TRL generates
with transformers. Every side is a process of its own, one after the other, `--rounds` times; medians of a step's
seconds, the first steps left out.
Last line: JSON with `short_sync`, `short_async`, `spread_sync`, `spread_async`, TRL's seconds over ours.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.tiny_rl import LEARNING_RATE, PROMPTS, SAMPLES, our_steps, rows, write_model
from bench.vs_trl_real import StepTimes, trl_callback

WARM_UP = 3
TASKS = {"short": 64, "spread": 384}
SIDES = ("trl", "sync", "async")
PARTS = ("rollout_wait_s", "train_s", "sync_s")
PLACEMENT: dict[str, dict[str, Any]] = {
    "sync": {"learner": {"threads": 2}, "rollout": {"threads": 2}},
    "async": {"learner": {"threads": 1}, "rollout": {"threads": 1}},
}
"""With staleness 0 engine and learner work in turns, and each has both cores"""


def trl(folder: Path, longest: int, steps: int) -> list[float]:
    """Seconds of TRL's steps."""
    import torch
    from datasets import Dataset
    from sacrebleu import sentence_chrf
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    def reward(completions: list[Any], reference: list[str], **_: Any) -> list[float]:
        texts = [c[0]["content"] for c in completions]
        return [sentence_chrf(t, [r]).score / 100 for t, r in zip(texts, reference, strict=True)]

    times = StepTimes()
    data = Dataset.from_list([{"prompt": row["messages"], "reference": row["reference"]} for row in rows()])
    with tempfile.TemporaryDirectory() as out:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            reward_funcs=reward,  # type: ignore[arg-type]
            args=GRPOConfig(
                out, per_device_train_batch_size=PROMPTS * SAMPLES, num_generations=SAMPLES, temperature=1.0,
                max_completion_length=longest, max_steps=steps + WARM_UP, use_cpu=True, bf16=False, report_to=[],
                beta=0.0, save_strategy="no", logging_strategy="no", gradient_checkpointing=False, disable_tqdm=True,
                learning_rate=LEARNING_RATE,
            ),
            train_dataset=data,
            processing_class=AutoTokenizer.from_pretrained(folder, padding_side="left"),
            callbacks=[trl_callback(times)],
        )  # fmt: skip
        trainer.train()
    return times.seconds()[WARM_UP - 1 :]


def ours(folder: Path, longest: int, steps: int, side: str) -> list[float]:
    """Seconds of our steps, from the run's own metrics."""
    rl = {"max_tokens": longest, "staleness": 1 if side == "async" else 0}
    measured = our_steps(folder, steps + WARM_UP, {**PLACEMENT[side], "rl": rl})[WARM_UP:]
    middle = {part: round(statistics.median(row[part] for row in measured), 3) for part in PARTS}
    print(side, middle, file=sys.stderr, flush=True)
    return [row["step_s"] for row in measured]


def one_side(side: str, folder: Path, longest: int, steps: int) -> list[float]:
    """Seconds of the steps of one process."""
    return trl(folder, longest, steps) if side == "trl" else ours(folder, longest, steps, side)


def measured(side: str, folder: Path, task: str, steps: int) -> list[float]:
    """One side in a process of its own."""
    command = [sys.executable, __file__, "--one", side, "--model", str(folder), "--tasks", task, "--steps", str(steps)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{side} ended with {done.returncode}; its output is above")
    seconds: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds


def in_turns(folder: Path, tasks: Sequence[str], rounds: int, steps: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of every side on every task, the sides one after the other in each round."""
    found: dict[str, dict[str, list[float]]] = {task: {side: [] for side in SIDES} for task in tasks}
    for _ in range(rounds):
        for task in tasks:
            for side in SIDES:
                seconds = measured(side, folder, task, steps)
                found[task][side] += seconds
                print(f"{task}/{side}: {statistics.median(seconds):.2f} s a step", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help="measured steps of a process")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--one", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_side(options.one, options.model, TASKS[options.tasks[0]], options.steps)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_model(folder)
        found = in_turns(folder, options.tasks, options.rounds, options.steps)
    result: dict[str, Any] = {}
    for task, sides in found.items():
        middle = {side: statistics.median(seconds) for side, seconds in sides.items()}
        result |= {f"{task}_{side}_s": round(seconds, 3) for side, seconds in middle.items()}
        result |= {f"{task}_{side}": round(middle["trl"] / middle[side], 2) for side in ("sync", "async")}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
