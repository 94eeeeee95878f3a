"""The task of the benches of reinforcement learning: a small model with random weights whose lengths are geometric.

A Qwen2 that reads and writes bytes: near its random weights every token ends an answer with a probability of about
1 in 62. Steps of 8 prompts with 8 answers, every group is trained on, the reward is chrF; the learning rate is so
small that lengths stay what they are. Also a job with the product's RL stage on it.
"""

import json
import math
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROMPTS, SAMPLES = 8, 8
CONTEXT = 512
END, MEAN_LENGTH = 1, 62
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,:-?"
LEARNING_RATE = 1e-7


@dataclass(frozen=True)
class Size:
    """Of a model with heads of 64."""

    hidden: int = 256
    layers: int = 4
    intermediate: int = 688


TINY, SMALL = Size(), Size(hidden=512, layers=8, intermediate=1376)
"""3.2 and 25 million parameters"""


def write_model(folder: Path, size: Size = TINY) -> None:
    """A model and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    pieces = ["<pad>", "<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>")
    fast.chat_template = (
        "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}<end>{% else %}:{% endif %}"
        "{% endfor %}"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    heads = size.hidden // 64
    config = Qwen2Config(
        vocab_size=len(pieces), hidden_size=size.hidden, num_hidden_layers=size.layers, num_attention_heads=heads,
        num_key_value_heads=heads, intermediate_size=size.intermediate, max_position_embeddings=CONTEXT,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=END, pad_token_id=0,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():
        end_often(model, len(pieces))
    model.save_pretrained(folder)


def end_often(model: Any, vocabulary: int) -> None:
    """Let the end be as likely as 1 in `MEAN_LENGTH`: one dimension is the same for all tokens, and the end's alone."""
    import torch

    model.model.embed_tokens.weight[:, 0] = 8.0
    model.lm_head.weight[:, 0] = 0
    texts = torch.randint(END + 1, vocabulary, (8, MEAN_LENGTH))
    constant = float(model.model(texts).last_hidden_state[..., 0].mean())
    model.lm_head.weight[END, 0] = math.log((vocabulary - 1) / (MEAN_LENGTH - 1)) / constant


def rows() -> list[dict[str, Any]]:
    """Prompts of 16 letters, each with a reference that no answer will meet."""
    chance = random.Random(0)

    def letters(count: int) -> str:
        return "".join(chance.choices(LETTERS, k=count))

    return [
        {"id": f"p{number}", "task": "other", "messages": [{"role": "user", "content": letters(16)}],
         "reference": letters(40)}
        for number in range(128)
    ]  # fmt: skip


def write_rows(folder: Path, rewards: Sequence[Mapping[str, Any]] = ()) -> None:
    """The prompts as data of a recipe, with chrF and any further rewards."""
    (folder / "eval").mkdir(parents=True)
    found = [
        {**row, "rewards": [{"kind": "chrf", "weight": 1, "args": {"reference": row["reference"]}}, *rewards]}
        for row in rows()
    ]
    (folder / "rl.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    first = {**found[0], "suite": "other_x", "heldout": "no"}
    (folder / "eval" / "other_x.jsonl").write_text(json.dumps(first) + "\n", encoding="utf-8")


def recipe(model: Path, data: Path, steps: int, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The RL stage on this task; `changes` to its sections."""
    sections: dict[str, dict[str, Any]] = {
        "model": {"path": str(model), "context": CONTEXT},
        "learner": {"row_tokens": CONTEXT, "rows_per_micro_batch": 8, "cpus_per_rank": 1},
        "rollout": {"cpus_per_worker": 0.5, "max_sequences": 2 * PROMPTS * SAMPLES},
        "rl": {"steps": steps, "groups_per_step": PROMPTS, "samples": SAMPLES, "max_tokens": 64,
               "filter_equal_rewards": False, "whole_waves": False, "mask_truncated": False,
               "checkpoint_every": 100_000, "learning_rate": LEARNING_RATE, "correction": {"kind": "truncate"}},
        "rewards": {},
        "evaluation": {"samples": 0, "max_tokens": 8},
    }  # fmt: skip
    changed = {name: {**section, **changes.get(name, {})} for name, section in sections.items()}
    return {"name": "tiny", "stages": ["rl"], "data": {"path": str(data)}, **changed}


def our_steps(
    model: Path,
    steps: int,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    rewards: Sequence[Mapping[str, Any]] = (),
    plugins: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """What a job of our RL stage logged of its steps; `environment`: variables that its head has beside ours."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_rows(folder / "rows", rewards)
        written = folder / "recipe.yaml"
        written.write_text(json.dumps(recipe(model, folder / "rows", steps, changes)), encoding="utf-8")
        command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", str(written), "--output", temporary]
        command += [word for plugin in plugins for word in ("--reward", plugin)]
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        variables.pop("OMP_NUM_THREADS", None)
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr, env=variables)
        text = (folder / "tiny" / "metrics.jsonl").read_text(encoding="utf-8")
    logged = map(json.loads, text.splitlines())
    return [row for row in logged if row.get("stage") == "rl" and "step_s" in row]
