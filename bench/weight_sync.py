"""Weights from the learner to the engines: how fast, in how many calls, and do both compute the same afterwards?

    python bench/weight_sync.py [--engines 2] [--rounds 5] [--bucket-mib 16] [--transport gloo shared_memory]

Llama-, Qwen- and Gemma-type models of about 30 million parameters, each with a tied and an untied head, random weights,
float32. A learner of one rank, some engines; before each sync one large optimiser step, so that weights that did not
arrive would show. `agreement` is the largest |log p (engine) - log p (learner)| over answers that the engines sampled
after it, `stale` the smallest difference to weights one step older. Calls are those of one engine and one sync. Several
transports take turns, sync by sync, between the same learner and the same engines.
Last line: JSON with the worst of all models: `agreement`, `calls`, `calls_bound` (ceil(bytes / bucket)), `mib_per_s` by
transport, and with two transports `ratio`: how many times as fast the second is, the median of all models.
"""

import argparse
import asyncio
import itertools
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from dragoman.learner import LearnerGroup, LearnerSettings, Objective, OptimiserSettings
from dragoman.learner.encoding import answer_sequence
from dragoman.learner.losses import CrossEntropy
from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings, sample_seed
from dragoman.rollout.transfer import WeightTransfer

ROOT = Path(__file__).resolve().parents[1]
PROMPTS = [[10 + i, 20, 30 + i] for i in range(8)]
ANSWER = 24
KINDS = ("llama", "qwen2", "gemma3_text")
NUMBERS = {
    "vocab_size": 16_000, "hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 8,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 64, "max_position_embeddings": 512,
    "bos_token_id": None, "eos_token_id": 1, "pad_token_id": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Of one model."""

    model: str
    transport: str
    mib: float
    calls: int
    calls_bound: int
    seconds: float
    """Median of a sync with all engines"""
    agreement: float
    stale: float

    @property
    def mib_per_s(self) -> float:
        """To one engine; several receive at the same time."""
        return self.mib / self.seconds


def write_model(folder: Path, kind: str, tied: bool) -> None:
    """A checkpoint of random weights, large enough that one step changes what it says."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from pretrain_sft.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(["the quick brown fox jumps"] * 3, 320)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, tie_word_embeddings=tied, **NUMBERS)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)


async def disagreement(learner: LearnerGroup, answers: Sequence[Any]) -> float:
    """Largest difference of log-probs between the engines' and the learner's."""
    units = [(answer_sequence(p, a.token_ids),) for p, a in zip(PROMPTS, answers, strict=True)]
    values = await learner.logprobs(units)
    pairs = zip(PROMPTS, answers, values, strict=True)
    return max(float(np.abs(v[len(p) :] - np.asarray(a.logprobs)).max()) for p, a, v in pairs)


async def learn(learner: LearnerGroup) -> None:
    """One large optimiser step."""
    unit = answer_sequence([11, 12], list(range(20, 40)))
    await learner.train_step([Objective([(unit,)], CrossEntropy(), {"tokens": 20})], learning_rate=0.01)


async def syncs(folder: Path, name: str, options: argparse.Namespace) -> list[Measured]:
    """All rounds of one model, one result a transport."""
    threads = max(1, len(os.sched_getaffinity(0)) // options.engines)
    rollout = RolloutGroup(
        folder,
        RolloutSettings(workers=options.engines, cpus_per_worker=0.1, threads=threads, kv_cache_gib=0.2,
                        sync_bucket_mib=options.bucket_mib),
        512, f"sync-{name}",
    )  # fmt: skip
    learner = LearnerGroup(LearnerSettings(cpus_per_rank=0.1, row_tokens=256), f"sync-{name}")
    try:
        await asyncio.gather(rollout.start(), learner.start())
        await learner.load(folder, OptimiserSettings(), 0)
        buckets = await learner.buckets(int(options.bucket_mib * (1 << 20)))
        size = 4 * sum(bucket.elements for bucket in buckets)
        seconds: dict[str, list[float]] = {transport: [] for transport in options.transport}
        agreement: dict[str, list[float]] = {transport: [] for transport in options.transport}
        stale = []
        versions = itertools.count(1)
        for number, transport in itertools.product(range(options.rounds + 1), options.transport):
            use(rollout, transport)
            await rollout.sync(learner, next(versions))  # opens the channel, touches the memory
            await learn(learner)
            took = await rollout.sync(learner, next(versions))
            seeds = [sample_seed(0, "p", i) for i in range(len(PROMPTS))]
            answers = await rollout.generate_many(PROMPTS, SamplingSettings(ANSWER, 1.0), seeds)
            agreement[transport].append(await disagreement(learner, answers))
            await learn(learner)
            stale.append(await disagreement(learner, answers))
            if number:
                seconds[transport].append(took)
        bound = math.ceil(size / (options.bucket_mib * (1 << 20)))
        return [
            Measured(name, transport, size / (1 << 20), len(buckets), bound, statistics.median(seconds[transport]),
                     max(agreement[transport]), min(stale))
            for transport in options.transport
        ]  # fmt: skip
    finally:
        learner.close()
        rollout.close()


def use(rollout: RolloutGroup, transport: str) -> None:
    """Let the next sync go this way: a channel of its own is opened for it."""
    rollout.transfer = WeightTransfer(rollout.fleet, rollout.settings.model_copy(update={"transport": transport}))


def all_models(options: argparse.Namespace) -> list[Measured]:
    """Every kind, tied and not."""
    found = []
    for kind in options.kinds:
        for tied in (True, False):
            with tempfile.TemporaryDirectory() as temporary:
                name = f"{kind}-{'tied' if tied else 'untied'}"
                write_model(Path(temporary), kind, tied)
                for measured in asyncio.run(syncs(Path(temporary), name, options)):
                    rounded = {k: round(v, 7) if isinstance(v, float) else v for k, v in asdict(measured).items()}
                    print(rounded, flush=True)
                    found.append(measured)
    return found


def main() -> None:
    """See the module note."""
    import ray

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bucket-mib", type=float, default=16)
    parser.add_argument("--transport", nargs="+", default=["gloo"], choices=["gloo", "shared_memory"])
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    options = parser.parse_args()
    ray.init(address="local", num_cpus=8, include_dashboard=False, log_to_driver=False,
             runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}})  # fmt: skip
    found = all_models(options)
    by = {transport: [m for m in found if m.transport == transport] for transport in options.transport}
    compared: dict[str, float] = {}
    if len(by) == 2:
        pairs = zip(*by.values(), strict=True)
        compared["ratio"] = round(statistics.median(first.seconds / second.seconds for first, second in pairs), 2)
    print(json.dumps({
        "agreement": max(m.agreement for m in found),
        "stale": round(min(m.stale for m in found), 3),
        "calls": {m.model: m.calls for m in found},
        "calls_bound": {m.model: m.calls_bound for m in found},
        "mib_per_s": {transport: round(min(m.mib_per_s for m in own), 1) for transport, own in by.items()},
        **compared,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
