"""A real model: fine-tuning tokens a second and seconds of a GRPO step, against TRL's trainers, in turns.

    python bench/vs_trl_real.py [--model package:smollm2-135m] [--dtype float32] [--rounds 2] [--steps 4]

Each side is a process of its own, one after the other, `--rounds` times; medians over all steps but each process'
first. Both sides have the same model, dtype, threads (all cores), rows of 512 tokens and optimiser (AdamW);
in bfloat16 both compute in it and keep float32 weights (TRL: `bf16=True`).
Fine-tuning: packed rows of the catalogs' conversations (`bench/real_data.py` fetches them), 4 rows a step; tokens
are those that are not padding. TRL packs by best fit (`packing=True`).
GRPO: 4 prompts, 8 answers of at most 64 tokens at temperature 1, a reward on each, every group trained on. TRL
generates with transformers, ours with vLLM as everywhere; a step of ours includes the weights' way to the engine.
Last line: JSON with `sft_ratio` and `grpo_ratio`, ours over TRL's (more is faster).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROW, ROWS, PROMPTS, SAMPLES, ANSWER = 512, 4, 4, 8, 64
SIDES = ("sft_ours", "sft_trl", "grpo_ours", "grpo_trl")


def conversations(data: Path) -> list[dict[str, Any]]:
    """Fine-tuning's rows, one turn each."""
    return [json.loads(line) for line in (data / "sft.jsonl").read_text(encoding="utf-8").splitlines()]


def prompts(data: Path) -> list[dict[str, Any]]:
    """Translation prompts with a reference."""
    rows = [json.loads(line) for line in (data / "rl.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["task"] == "translation"][:64]


class StepTimes:
    """Seconds of each step after the first."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def seconds(self) -> list[float]:
        """Between marks, the first left out."""
        return [after - before for before, after in zip(self.marks[1:], self.marks[2:], strict=False)]


def trl_callback(times: StepTimes) -> Any:
    """Marks the beginning of training and the end of each step."""
    from transformers import TrainerCallback

    class Marks(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            times.marks.append(time.perf_counter())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.marks.append(time.perf_counter())

    return Marks()


def sft_trl(
    folder: Path, data: Path, dtype: str, steps: int, *, packing: bool = True, accumulation: int = 1
) -> list[float]:
    """Tokens a second of TRL's SFTTrainer, a step each; a step's tokens are the mean of the first rows'."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    times = StepTimes()
    with tempfile.TemporaryDirectory() as out:
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            args=SFTConfig(
                out, packing=packing, max_length=ROW, per_device_train_batch_size=ROWS, max_steps=steps + 1,
                gradient_accumulation_steps=accumulation, use_cpu=True, bf16=dtype == "bfloat16",
                report_to=[], save_strategy="no", logging_strategy="no", gradient_checkpointing=False,
                dataloader_num_workers=0, disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list([{"messages": row["messages"]} for row in conversations(data)[:2000]]),
            processing_class=AutoTokenizer.from_pretrained(folder),
            callbacks=[trl_callback(times)],
        )  # fmt: skip
        packed: Any = trainer.train_dataset
        seen = list(packed)[: ROWS * accumulation * 8]
        tokens = sum(len(row["input_ids"]) for row in seen) / len(seen) * ROWS * accumulation
        trainer.train()
    return [tokens / seconds for seconds in times.seconds()]


def sft_ours(folder: Path, data: Path, dtype: str, steps: int) -> list[float]:
    """Tokens a second of our learner, a step each."""
    from bench.learner_speed import loaded
    from dragoman.data.rows import read_conversations
    from dragoman.learner import LearnerSettings
    from dragoman.learner.model import load_tokenizer
    from dragoman.learner.objective import shards
    from dragoman.learner.packing import pack
    from pretrain_sft.examples import RowLimit, encode_conversations, fitting, likelihood

    settings = LearnerSettings.model_validate(
        {"ranks": 1, "dtype": dtype, "row_tokens": ROW, "rows_per_micro_batch": ROWS}
    )
    rank = loaded(folder, settings)
    rows = read_conversations(data / "sft.jsonl")[:2000]
    encoded = encode_conversations(rows, "sft", load_tokenizer(folder))
    sequences = iter(fitting(encoded, "sft", RowLimit(ROW, "drop")))
    speeds = []
    for step in range(steps + 1):
        batch, tokens = [], 0
        while tokens < 0.97 * ROW * ROWS:
            batch.append(next(sequences))
            tokens += len(batch[-1].token_ids)
        objective = likelihood(batch)
        batches = pack(objective.units, ranks=1, row_tokens=ROW, rows_per_micro_batch=ROWS)
        work = shards(objective, batches)
        started = time.perf_counter()
        rank.train_step(work, 1e-5)
        if step:
            speeds.append(tokens / (time.perf_counter() - started))
    return speeds


def grpo_trl(folder: Path, data: Path, dtype: str, steps: int) -> list[float]:
    """Seconds of TRL's GRPO step."""
    import torch
    from datasets import Dataset
    from sacrebleu import sentence_chrf
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    def reward(completions: list[Any], reference: list[str], **_: Any) -> list[float]:
        texts = [c if isinstance(c, str) else c[0]["content"] for c in completions]
        return [sentence_chrf(t, [r]).score / 100 for t, r in zip(texts, reference, strict=True)]

    times = StepTimes()
    rows = [{"prompt": row["messages"], "reference": row["reference"]} for row in prompts(data)]
    with tempfile.TemporaryDirectory() as out:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            reward_funcs=reward,  # type: ignore[arg-type]
            args=GRPOConfig(
                out, per_device_train_batch_size=PROMPTS * SAMPLES, num_generations=SAMPLES,
                max_completion_length=ANSWER, max_steps=steps + 1, use_cpu=True, bf16=dtype == "bfloat16",
                report_to=[], beta=0.0, save_strategy="no", logging_strategy="no", gradient_checkpointing=False,
                temperature=1.0, disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=AutoTokenizer.from_pretrained(folder, padding_side="left"),
            callbacks=[trl_callback(times)],
        )  # fmt: skip
        trainer.train()
    return times.seconds()


def grpo_ours(folder: Path, data: Path, dtype: str, steps: int) -> list[float]:
    """Seconds of our RL stage's step, from the run's own metrics."""
    with tempfile.TemporaryDirectory() as temporary:
        rows = Path(temporary) / "rows"
        (rows / "eval").mkdir(parents=True)
        found = prompts(data)
        for row in found:
            row["rewards"] = [{"kind": "chrf", "weight": 1, "args": {"reference": row["reference"]}}]
        text = "".join(json.dumps(row) + "\n" for row in found)
        (rows / "rl.jsonl").write_text(text, encoding="utf-8")
        first = {**found[0], "suite": "translation_x", "heldout": "no"}
        (rows / "eval" / "translation_x.jsonl").write_text(json.dumps(first) + "\n", encoding="utf-8")
        recipe = Path(temporary) / "r.yaml"
        recipe.write_text(json.dumps({
            "name": "vs", "stages": ["rl"], "data": {"path": str(rows)},
            "model": {"path": str(folder), "context": ROW},
            "learner": {"dtype": dtype, "row_tokens": ROW, "rows_per_micro_batch": ROWS, "cpus_per_rank": 1},
            "rollout": {"dtype": dtype, "cpus_per_worker": 0.5, "max_sequences": PROMPTS * SAMPLES},
            "rl": {"steps": steps + 1, "groups_per_step": PROMPTS, "samples": SAMPLES, "max_tokens": ANSWER,
                   "filter_equal_rewards": False, "whole_waves": False, "mask_truncated": False,
                   "checkpoint_every": 1000, "learning_rate": 1e-6},
            "evaluation": {"samples": 0, "max_tokens": 8},
        }), encoding="utf-8")  # fmt: skip
        command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", str(recipe), "--output", temporary]
        root = Path(__file__).resolve().parents[1]
        subprocess.run(command, cwd=root, check=True, stdout=sys.stderr, env={**os.environ, "PYTHONPATH": str(root)})
        lines = (Path(temporary) / "vs" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    measured_steps = [row for row in map(json.loads, lines) if row.get("stage") == "rl" and "step_s" in row][1:]
    for row in measured_steps:
        print({name: round(row[name], 1) for name in ("rollout_wait_s", "train_s", "sync_s")}, file=sys.stderr)
    return [row["step_s"] for row in measured_steps]


def one_side(name: str, folder: Path, data: Path, dtype: str, steps: int) -> list[float]:
    """The figures of one process."""
    sides = {"sft_ours": sft_ours, "sft_trl": sft_trl, "grpo_ours": grpo_ours, "grpo_trl": grpo_trl}
    return sides[name](folder, data, dtype, steps)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="package:smollm2-135m")
    parser.add_argument("--accept-licence", action="append", default=[], help="a licence that you accept, by name")
    parser.add_argument("--data", type=Path, help="rows of the catalogs; default: written anew")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4, help="measured steps of a process")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--one", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    from dragoman.packages import resolve_model

    folder = resolve_model(options.model, options.accept_licence)
    if options.one:
        print(json.dumps(one_side(options.one, folder, options.data, options.dtype, options.steps)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        data = options.data or written(Path(temporary))
        found: dict[str, list[float]] = {side: [] for side in options.sides}
        for _ in range(options.rounds):
            for side in options.sides:
                found[side] += measured(side, folder, data, options)
                print(side, [round(value, 1) for value in found[side]], file=sys.stderr, flush=True)
    middle = {side: statistics.median(values) for side, values in found.items()}
    result: dict[str, Any] = {"dtype": options.dtype, **{side: round(value, 2) for side, value in middle.items()}}
    if "sft_trl" in middle and "sft_ours" in middle:
        result["sft_ratio"] = round(middle["sft_ours"] / middle["sft_trl"], 2)
    if "grpo_trl" in middle and "grpo_ours" in middle:
        result["grpo_ratio"] = round(middle["grpo_trl"] / middle["grpo_ours"], 2)
    print(json.dumps(result))


def measured(side: str, folder: Path, data: Path, options: argparse.Namespace, script: str = __file__) -> list[float]:
    """One side of a script in a process of its own."""
    command = [sys.executable, script, "--one", side, "--model", str(folder), "--data", str(data),
               "--dtype", options.dtype, "--steps", str(options.steps)]  # fmt: skip
    threads = str(len(os.sched_getaffinity(0)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1", "DS_LOG_LEVEL": "warning"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{side} ended with {done.returncode}; its output is above")
    figures: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def written(folder: Path) -> Path:
    """The catalogs' rows."""
    from dragoman.data.catalogs.source import CATALOGS

    CATALOGS.write(folder, 0, CATALOGS.settings_type(human_eval=False))
    return folder


if __name__ == "__main__":
    main()
