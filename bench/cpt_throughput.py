"""Continued pretraining and fine-tuning of a real model, tokens a second, against transformers' Trainer and TRL's.

    python bench/cpt_throughput.py [--model package:smollm2-135m] [--dtype bfloat16] [--rounds 3] [--steps 6]

Each side is a process of its own, one after the other, `--rounds` times; medians over all steps but each process'
first. All have the same model, dtype, threads (all cores), optimiser (AdamW), rows of 512 tokens, four a step, and the
catalogs' texts: documents and single sentences in turns for pretraining, so that lengths differ by a hundred times;
conversations for fine-tuning. Tokens are those that are not padding. In bfloat16 all compute in it and keep float32
weights (`bf16=True` of the others).

- `cpt_ours`: documents packed into rows, each seeing itself alone; `sft_ours`: the same with conversations.
- `cpt_flattened`: Trainer with transformers' own collator without padding (`DataCollatorWithFlattening`): as many texts
  as make 512 tokens in a row, each seeing itself alone.
- `cpt_padded`: Trainer on a text a row, four rows a batch, padded to the longest of them, as it comes.
- `cpt_blocks`: Trainer on blocks of 512 cut from the texts one after the other, as transformers' example `run_clm.py`
  makes them. Nothing is padded, but a text sees those before it: not the same loss, so told and in no `cpt_ratio`.
- `cpt_blocks_pure`: the same without float32 weights (bfloat16 only): updates below 1/256 of a weight are lost.
- `sft_packed`: TRL's SFTTrainer with `packing=True`; `sft_padded`: as it comes.

Padded and flattened sides accumulate as many batches to a step as make the others' number of tokens. Last line: JSON
with `cpt_ratio` and `sft_ratio`, ours over the fastest form of the same loss (more is faster), and ours over each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.vs_trl_real import ROW, ROWS, StepTimes, measured, sft_ours, sft_trl, trl_callback, written

OTHERS = {"cpt": ("cpt_flattened", "cpt_padded"), "sft": ("sft_packed", "sft_padded")}
UNLIKE = ("cpt_blocks", "cpt_blocks_pure")
SIDES = ("cpt_ours", *OTHERS["cpt"], *UNLIKE, "sft_ours", *OTHERS["sft"])
TEXTS = 3_000
PADDED_SFT = 8
"""Batches of four conversations that make about the tokens of four full rows"""


def texts(data: Path) -> list[str]:
    """Documents and sentence pairs in turns."""
    files = (data / "cpt_mono.jsonl", data / "cpt_parallel.jsonl")
    found = [[json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()] for file in files]
    return [text for text in chain.from_iterable(zip_longest(*found)) if text is not None][:TEXTS]


def token_lists(folder: Path, data: Path) -> list[list[int]]:
    """Every text with its end, cut at a row's length, as all sides train on them."""
    from dragoman.learner.encoding import encode_documents
    from dragoman.learner.model import load_tokenizer

    rows = texts(data)
    encoded = encode_documents(load_tokenizer(folder), rows, ROW, ["text"] * len(rows))
    return [sequence.token_ids.tolist() for sequence in encoded]


def blocks(rows: Sequence[list[int]]) -> list[list[int]]:
    """All tokens one after the other in rows of one length; what is left over at the end is dropped."""
    flat = list(chain.from_iterable(rows))
    return [flat[start : start + ROW] for start in range(0, len(flat) - ROW + 1, ROW)]


def cpt_ours(folder: Path, data: Path, dtype: str, steps: int) -> list[float]:
    """Tokens a second of our learner, a step each."""
    import numpy as np

    from bench.learner_speed import loaded
    from dragoman.learner import LearnerSettings
    from dragoman.learner.objective import shards
    from dragoman.learner.packing import TokenSequence, pack
    from pretrain_sft.examples import likelihood

    settings = LearnerSettings.model_validate(
        {"ranks": 1, "dtype": dtype, "row_tokens": ROW, "rows_per_micro_batch": ROWS}
    )
    rank = loaded(folder, settings)
    speeds = []
    for step, batch in zip(range(steps + 1), _batches(token_lists(folder, data)), strict=False):
        masks = [np.asarray([0.0] + [1.0] * (len(ids) - 1), np.float32) for ids in batch]
        sequences = [
            TokenSequence(np.asarray(ids, np.int32), {"loss_mask": mask})
            for ids, mask in zip(batch, masks, strict=True)
        ]
        objective = likelihood(sequences)
        work = shards(objective, pack(objective.units, ranks=1, row_tokens=ROW, rows_per_micro_batch=ROWS))
        started = time.perf_counter()
        rank.train_step(work, 1e-5)
        if step:
            speeds.append(sum(map(len, batch)) / (time.perf_counter() - started))
    return speeds


def _batches(rows: Sequence[list[int]]) -> Iterator[list[list[int]]]:
    """Texts for a step each: as many as make four rows' tokens, one after the other."""
    batch: list[list[int]] = []
    for row in rows:
        if sum(map(len, batch)) + len(row) > ROW * ROWS:
            yield batch
            batch = []
        batch.append(row)


def trainer(
    folder: Path,
    rows: Sequence[list[int]],
    dtype: str,
    steps: int,
    accumulation: int = 1,
    *,
    weights: str = "float32",
    flattened: int = 0,
) -> list[float]:
    """Tokens a second of transformers' Trainer on rows of tokens, a step each; `bf16=True` in bfloat16.

    `flattened`: texts of a batch that become one row without padding; 0 for batches of four rows, padded.
    """
    import torch
    from transformers import AutoModelForCausalLM, DataCollatorWithFlattening, Trainer, TrainingArguments

    from dragoman.learner.model import load_tokenizer

    tokenizer = load_tokenizer(folder)
    fill = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    times, counts, one_row = StepTimes(), [], DataCollatorWithFlattening()

    def collate(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        lists = [row["input_ids"] for row in batch]
        counts.append(sum(map(len, lists)))
        if flattened:
            row: dict[str, Any] = one_row(batch)
            return row
        longest = max(map(len, lists))
        return {
            "input_ids": torch.tensor([ids + [fill] * (longest - len(ids)) for ids in lists]),
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in lists]),
            "labels": torch.tensor([ids + [-100] * (longest - len(ids)) for ids in lists]),
        }

    with tempfile.TemporaryDirectory() as out:
        made = Trainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, weights)),
            args=TrainingArguments(
                out, per_device_train_batch_size=flattened or ROWS, gradient_accumulation_steps=accumulation,
                max_steps=steps + 1, use_cpu=True, bf16=dtype == "bfloat16", report_to=[], save_strategy="no",
                logging_strategy="no", dataloader_num_workers=0, disable_tqdm=True,
                remove_unused_columns=False,
            ),
            train_dataset=[{"input_ids": ids} for ids in rows],  # type: ignore[arg-type]
            data_collator=collate,
            callbacks=[trl_callback(times)],
        )  # fmt: skip
        made.train()
    tokens = [sum(counts[start : start + accumulation]) for start in range(0, len(counts), accumulation)]
    return [count / seconds for count, seconds in zip(tokens[1:], times.seconds(), strict=False)]


def one_side(name: str, folder: Path, data: Path, dtype: str, steps: int) -> list[float]:
    """The figures of one process, tokens a second of each step."""
    if name == "cpt_ours":
        return cpt_ours(folder, data, dtype, steps)
    if name == "sft_ours":
        return sft_ours(folder, data, dtype, steps)
    if name.startswith("sft_"):
        packed = name == "sft_packed"
        return sft_trl(folder, data, dtype, steps, packing=packed, accumulation=1 if packed else PADDED_SFT)
    rows = token_lists(folder, data)
    if name == "cpt_blocks":
        return trainer(folder, blocks(rows), dtype, steps)
    if name == "cpt_blocks_pure":
        return trainer(folder, blocks(rows), dtype, steps, weights=dtype)
    of_a_row = round(ROW * len(rows) / sum(map(len, rows)))
    if name == "cpt_flattened":
        return trainer(folder, rows, dtype, steps, ROWS, flattened=of_a_row)
    return trainer(folder, rows, dtype, steps, of_a_row)


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="package:smollm2-135m")
    parser.add_argument("--accept-licence", action="append", default=[], help="a licence that you accept, by name")
    parser.add_argument("--data", type=Path, help="rows of the catalogs; default: written anew")
    parser.add_argument("--dtype", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="measured steps of a process")
    parser.add_argument("--one", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    from dragoman.packages import resolve_model

    folder = resolve_model(options.model, options.accept_licence)
    if options.one:
        print(json.dumps(one_side(options.one, folder, options.data, options.dtype, options.steps)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        data = options.data or written(Path(temporary))
        sides = [side for side in SIDES if side != "cpt_blocks_pure" or options.dtype == "bfloat16"]
        found: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(options.rounds):
            for side in sides:
                found[side] += measured(side, folder, data, options, __file__)
                print(side, [round(value, 1) for value in found[side]], file=sys.stderr, flush=True)
    middle = {side: statistics.median(values) for side, values in found.items()}
    result: dict[str, Any] = {"dtype": options.dtype, **{side: round(value, 1) for side, value in middle.items()}}
    for stage, others in OTHERS.items():
        ours = middle[f"{stage}_ours"]
        every = [side for side in sides if side.startswith(stage) and not side.endswith("ours")]
        result |= {f"{stage}_over_{other[4:]}": round(ours / middle[other], 2) for other in every}
        result[f"{stage}_ratio"] = round(ours / max(middle[other] for other in others), 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
