"""`dragoman init`: a recipe for a user's model and rows that fits this machine.

    stages     those that the folder has files for
    context    what 99.5 % of the rows need, in steps of 128
    vocabulary cut to what the rows use, where less than half of it is used
    dtype      bfloat16 where the processor computes in it
    training   the whole model if it fits, else adapters, else an error
    steps      as many as the hours allow, an epoch at most; a twentieth of the time for language-aware tuning, a tenth
               for preference, a fifth for reinforcement learning

Time is 6 x parameters x tokens over the rate at which this machine multiplies, of which a step reaches about half
(bench/learner_speed.py). An estimate, not a promise; the run shows what it really takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dragoman.checkpoints.pretrained import ModelShape, check_pretrained, read_shape, with_vocabulary
from dragoman.data.rows import each_text, read_prompts
from dragoman.learner import LearnerSettings
from dragoman.learner.encoding import encode_prompts
from dragoman.pipeline.machine import Machine
from dragoman.pipeline.memory import GIB, engine_bytes, learner_bytes
from dragoman.recipes import RecipeError
from dragoman.rollout import RolloutSettings

REACHED = 0.5
"""Share of the multiplication rate that a training step reaches"""
HOUR_SHARES = {"cpt": 0.30, "sft": 0.35, "lat": 0.05, "preference": 0.10, "rl": 0.20}
OTHER_BYTES = 3.5 * GIB
"""Driver, Ray and reward workers"""
STAGE_FILES = {
    "cpt": ("cpt_mono.jsonl", "cpt_parallel.jsonl", "cpt_instructions.jsonl"), "sft": ("sft.jsonl",),
    "lat": ("lat.jsonl",), "preference": ("preference.jsonl",), "rl": ("rl.jsonl",),
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """What the rows of a folder need."""

    tokens: Mapping[str, int]
    """By file"""
    counts: Mapping[str, int]
    longest: int
    """Tokens that 99.5 % of the rows have at most"""
    pieces: int
    """Different pieces in them"""


def first_recipe(model: str, folder: Path, data: Path, machine: Machine, hours: float) -> str:
    """The recipe as YAML with its reasons. `folder`: the model's, `model`: as it was named.

    Raises RecipeError when the rows have no stage's file and when nothing of the model fits into the memory.
    """
    rows, shape = measure_rows(folder, data), read_shape(folder)
    stages = [stage for stage, files in STAGE_FILES.items() if any(file in rows.counts for file in files)]
    if not stages:
        raise RecipeError(f"{data} has no file that a stage reads ({', '.join(_all_files())}); see docs/data.md")
    context = min(shape.context or 1 << 20, max(256, -(-(rows.longest + 64) // 128) * 128))
    check_pretrained(folder, context)
    pieces = -(-rows.pieces * 5 // 4 // 1000) * 1000
    kept = pieces if pieces < shape.vocabulary / 2 else None
    trained = shape if kept is None else with_vocabulary(shape, kept)
    learner = fitting_learner(trained, context, machine)
    values: dict[str, Any] = {
        "name": data.resolve().name, "model": {"path": model, "context": context, "kept_pieces": kept},
        "data": {"path": str(data.resolve()), "long_rows": "drop", "bad_rows": "drop"}, "stages": stages,
        "learner": learner.model_dump(exclude_unset=True),
        "rollout": {"dtype": machine.dtype, "cpus_per_worker": 0.5, "max_sequences": 64},
        **_budgets(stages, rows, trained, machine, hours), "evaluation": {"samples": 0, "base_shots": 4, "limit": 100},
    }  # fmt: skip
    return _comment(shape, trained, machine, learner, hours) + yaml.safe_dump(values, sort_keys=False)


def measure_rows(folder: Path, data: Path) -> Rows:
    """Tokens, lengths and pieces of every file of a folder."""
    from dragoman.learner.model import load_tokenizer

    tokenizer = load_tokenizer(folder)
    tokens, counts, lengths, pieces = {}, {}, [], set()
    for name in (name for name in _all_files() if (data / name).is_file()):
        if name in ("preference.jsonl", "rl.jsonl"):
            ids = encode_prompts(tokenizer, [prompt.messages for prompt in read_prompts(data / name)])
        else:
            ids = tokenizer(list(each_text(data / name)), add_special_tokens=False)["input_ids"]
        counts[name], tokens[name] = len(ids), sum(map(len, ids))
        lengths += [len(row) for row in ids]
        pieces |= {number for row in ids for number in row}
    lengths.sort()
    return Rows(tokens, counts, lengths[int(0.995 * (len(lengths) - 1))] if lengths else 0, len(pieces))


def fitting_learner(shape: ModelShape, context: int, machine: Machine) -> LearnerSettings:
    """Full training with the largest micro-batch that fits, else without a copy of checkpoints, else with activations
    computed again, else adapters."""
    rollout = RolloutSettings(dtype=machine.dtype)  # type: ignore[arg-type]
    free = machine.free_bytes * 0.9 - engine_bytes(shape, rollout) - OTHER_BYTES
    tight = {"background_snapshots": False, "recompute_activations": True}
    for changes in ({}, {"background_snapshots": False}, tight, {**tight, "adapter": {"kind": "lora"}}):
        for rows in (8, 4, 2, 1):
            learner = LearnerSettings.model_validate(
                {"ranks": 1, "dtype": machine.dtype, "row_tokens": context, "rows_per_micro_batch": rows, **changes}
            )
            if learner_bytes(shape, learner) <= free:
                return learner
    raise RecipeError(
        f"{shape.parameters / 1e6:,.0f} million parameters need {learner_bytes(shape, learner) / GIB:.1f} GiB with "
        f"adapters and one row of {context} tokens, {max(0, free) / GIB:.1f} GiB are left beside the engine; take a "
        "smaller model, shorter rows, or a larger machine"
    )


def _budgets(
    stages: list[str], rows: Rows, shape: ModelShape, machine: Machine, hours: float
) -> dict[str, dict[str, Any]]:
    """Steps of each stage from its share of the hours; an epoch at most where rows are trained on."""
    per_second = REACHED * machine.operations_per_s / (6 * shape.parameters)
    total = sum(HOUR_SHARES[stage] for stage in stages)
    budgets: dict[str, dict[str, Any]] = {}
    for stage in stages:
        tokens = int(per_second * 3600 * hours * HOUR_SHARES[stage] / total)
        present = [file for file in STAGE_FILES[stage] if file in rows.counts]
        whole = sum(rows.tokens[file] for file in present)
        if stage in ("cpt", "sft"):
            batch = 4096
            budgets[stage] = {"steps": max(10, min(tokens, whole) // batch), "batch_tokens": batch}
        if stage == "cpt":
            budgets[stage]["mixture"] = {f[:-6]: round(rows.tokens[f] / whole, 3) for f in present[1:]}
            rest = 1 - sum(budgets[stage]["mixture"].values())
            budgets[stage]["mixture"] = {present[0][:-6]: round(rest, 3), **budgets[stage]["mixture"]}
        if stage == "lat":
            mean = whole / rows.counts["lat.jsonl"]
            budgets[stage] = {"steps": max(5, int(tokens / (16 * 2 * mean))), "batch_examples": 16}
        if stage == "preference":
            budgets[stage] = {"steps": max(5, tokens // (32 * 128)), "batch_pairs": 16,
                              "prompts": min(rows.counts["preference.jsonl"], max(64, tokens // 1000))}  # fmt: skip
        if stage == "rl":
            budgets[stage] = {"steps": max(5, tokens // (8 * 8 * 160)), "groups_per_step": 8, "samples": 8}
    return budgets


def _comment(shape: ModelShape, trained: ModelShape, machine: Machine, learner: LearnerSettings, hours: float) -> str:
    kept = "" if trained is shape else f", {trained.parameters / 1e6:,.0f} with the vocabulary that the rows use"
    how = "adapters (LoRA)" if learner.adapter.kind != "none" else "the whole model"
    return (
        f"# Written by `dragoman init` for {machine.cores} cores, {machine.free_bytes / GIB:.0f} GiB free, "
        f"{machine.bfloat16 or 'no bfloat16'}.\n"
        f"# {shape.parameters / 1e6:,.0f} million parameters{kept}; trains {how}, about "
        f"{learner_bytes(trained, learner) / GIB:.1f} GiB.\n"
        f"# Steps are for about {hours:g} hours at {machine.operations_per_s / 1e9:,.0f} GFLOP/s (measured).\n"
        "# Learning rates follow the size (docs/recipes.md).\n"
    )


def _all_files() -> list[str]:
    return [file for files in STAGE_FILES.values() for file in files]
