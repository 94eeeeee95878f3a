"""Preference optimisation: pairs from the policy's own samples, ordered by the rewards.

    prompts -> k samples each from the parent policy -> rewards -> the best of each prompt against worse ones
            -> reference log-probs under the parent -> DPO or WPO (learner.losses)

As in WPO's hybrid recipe (arXiv 2406.11827): among equally good answers the shortest is chosen, among
equally bad ones that of the closest length, so that length is not what is learned. A part of the prompts
is held out, and the best answer to each of those is compared with every worse one. The pairs are written to
`pairs.jsonl` once, so a resumed stage trains on the same ones.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from dragoman.data.mixtures import plan_examples
from dragoman.data.rows import DataError, Row, read_rows
from dragoman.learner import LearnerGroup, Objective, TokenSequence
from dragoman.learner.encoding import answer_sequence, check_lengths, encode_prompts, loss_tokens
from dragoman.rollout import RolloutGroup, SamplingSettings, sample_seed
from pretrain_sft.ptx import PtxSource
from rewards import RewardPools, Score

Logprobs = tuple[np.ndarray, np.ndarray]
"""Per-token log-probs of a pair's chosen and rejected sequence"""
ROWS_PER_SLICE = 64


@dataclass(frozen=True)
class Answer:
    """One sampled answer with its reward."""

    token_ids: tuple[int, ...]
    text: str
    reward: float


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, the first better by at least the margin."""

    id: str
    prompt_ids: tuple[int, ...]
    chosen: Answer
    rejected: Answer
    heldout: bool


async def sample_pairs(
    rows: Sequence[Row],
    section: Mapping[str, Any],
    tokenizer: Any,
    rollout: RolloutGroup,
    pools: RewardPools,
    seed: int,
    room: int,
    max_error_share: float,
) -> list[Pair]:
    """Sample, score and pair; answers whose reward could not be computed or that were cut off are left out.

    Raises `DataError` with an example when more than `max_error_share` of the rewards could not be computed.
    """
    prompts = [tuple(ids) for ids in encode_prompts(tokenizer, [row["messages"] for row in rows])]
    check_lengths(rows, prompts, room, "preference.max_tokens")
    slices = max(1, round(len(rows) / ROWS_PER_SLICE))
    parts = await asyncio.gather(
        *(_sample_answers(rows[k::slices], prompts[k::slices], section, rollout, pools, seed) for k in range(slices))
    )
    _check_failures([score for _, scores in parts for score in scores], max_error_share)
    pairs = []
    for i, row in enumerate(rows):
        found = parts[i % slices][0][i // slices]
        heldout = Random(f"{seed}/{row['id']}").random() < section["heldout_share"]
        most = len(found) if heldout else section["pairs_per_prompt"]
        ranked = ranked_pairs(found, margin=section["margin"], minimum=section["minimum_reward"], most=most)
        pairs += [Pair(row["id"], prompts[i], best, other, heldout) for best, other in ranked]
    return pairs


async def _sample_answers(
    rows: Sequence[Row],
    prompts: Sequence[Sequence[int]],
    section: Mapping[str, Any],
    rollout: RolloutGroup,
    pools: RewardPools,
    seed: int,
) -> tuple[list[list[Answer]], list[Score]]:
    """For each row of one slice the answers that can be used, and all scores.

    The verifiers work on one slice while the engines answer the next.
    """
    wanted = [(i, k) for i in range(len(rows)) for k in range(section["samples"])]
    completions = await rollout.generate_many(
        [prompts[i] for i, _ in wanted],
        SamplingSettings(section["max_tokens"], section["temperature"]),
        [sample_seed(seed, rows[i]["id"], k) for i, k in wanted],
    )
    scores = await pools.score_many(
        [{**rows[i], "response": done.text} for (i, _), done in zip(wanted, completions, strict=True)]
    )
    answers: list[list[Answer]] = [[] for _ in rows]
    for (i, _), done, score in zip(wanted, completions, scores, strict=True):
        if score.reward is not None and done.finish_reason == "stop":
            answers[i].append(Answer(done.token_ids, done.text, score.reward))
    return answers, scores


def _check_failures(scores: Sequence[Score], max_error_share: float) -> None:
    failed = [score for score in scores if score.reward is None]
    if len(failed) > max_error_share * len(scores):
        parts = [c for c in failed[0].components if c.status in ("error", "timeout")]
        why = "; ".join(f"{c.kind}: {c.status} ({c.detail})" for c in parts)
        raise DataError(
            f"{len(failed)} of {len(scores)} rewards could not be computed (rewards.max_error_share is "
            f"{max_error_share:.0%}); for instance {failed[0].id}: {why}"
        )


def ranked_pairs(
    answers: Sequence[Answer], *, margin: float, minimum: float = 0.0, most: int = 1
) -> list[tuple[Answer, Answer]]:
    """The best answer of one prompt against up to `most` different ones that earn less by more than `margin`.

    The worst come first, so `most=1` gives best and worst. None when the best earns less than `minimum`.
    """
    if not answers:
        return []
    best = max(answers, key=lambda a: (a.reward, -len(a.token_ids)))
    if best.reward < minimum:
        return []
    worse = {a.token_ids: a for a in answers if best.reward - a.reward > margin}
    ranked = sorted(worse.values(), key=lambda a: (a.reward, abs(len(a.token_ids) - len(best.token_ids))))
    return [(best, other) for other in ranked[:most]]


def check_pairs(pairs: Sequence[Pair]) -> None:
    """Raise `DataError` unless there are pairs to train on and pairs to measure on."""
    heldout = sum(pair.heldout for pair in pairs)
    if not heldout or heldout == len(pairs):
        raise DataError(
            f"only {len(pairs) - heldout} training and {heldout} held-out preference pairs were found; raise "
            "preference.prompts or preference.samples, or lower preference.margin"
        )


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Atomically, one JSON line a pair."""
    aside = path.with_name(path.name + ".tmp")
    aside.write_text("".join(json.dumps(asdict(p), ensure_ascii=False) + "\n" for p in pairs), encoding="utf-8")
    os.replace(aside, path)


def read_pairs(path: Path) -> list[Pair]:
    """What `write_pairs` wrote."""

    def answer(value: Mapping[str, Any]) -> Answer:
        return Answer(tuple(value["token_ids"]), value["text"], value["reward"])

    return [
        Pair(row["id"], tuple(row["prompt_ids"]), answer(row["chosen"]), answer(row["rejected"]), row["heldout"])
        for row in read_rows(path, needs=("id", "prompt_ids", "chosen", "rejected", "heldout"))
    ]


class PreferenceSource:
    """Batches of pairs with the parent's log-probs, and what stands beside them; `heldout` pairs are for measuring."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        reference: Sequence[Logprobs],
        section: Mapping[str, Any],
        seed: int,
        ptx: PtxSource | None = None,
    ) -> None:
        self.ptx = ptx
        units = [pair_unit(pair, *logprobs) for pair, logprobs in zip(pairs, reference, strict=True)]
        self.training = [u for u, p in zip(units, pairs, strict=True) if not p.heldout]
        self.heldout = [u for u, p in zip(units, pairs, strict=True) if p.heldout]
        self.section = section
        self.plan = plan_examples(len(self.training), section["batch_pairs"], section["steps"], seed, "pairs")

    def batch(self, step: int) -> list[Objective]:
        """Pairs of one step, and earlier data if the recipe says so."""
        units = [self.training[index] for index in self.plan[step]]
        pairs = Objective(units, "preference", self.counts(units), self.settings())
        return [pairs] if self.ptx is None else [pairs, self.ptx.objective(step)]

    def counts(self, units: Sequence[tuple[TokenSequence, TokenSequence]]) -> dict[str, float]:
        """Denominators of the loss."""
        return {"pairs": float(len(units)), "chosen_tokens": sum(loss_tokens(chosen) for chosen, _ in units)}

    def settings(self) -> dict[str, Any]:
        """Arguments of the loss."""
        return {
            "beta": self.section["beta"],
            "weighted": self.section["loss"] == "wpo",
            "likelihood_weight": self.section["likelihood_weight"],
        }


def pair_sequences(pair: Pair) -> tuple[TokenSequence, TokenSequence]:
    """Chosen and rejected as sequences, without reference log-probs."""
    return (
        answer_sequence(pair.prompt_ids, pair.chosen.token_ids, pair.id),
        answer_sequence(pair.prompt_ids, pair.rejected.token_ids, pair.id),
    )


def pair_unit(pair: Pair, chosen: np.ndarray, rejected: np.ndarray) -> tuple[TokenSequence, TokenSequence]:
    """Chosen and rejected with the parent's per-token log-probs, to be packed together."""
    first, second = (
        TokenSequence(s.token_ids, {**s.channels, "reference_logprobs": logprobs}, s.label)
        for s, logprobs in zip(pair_sequences(pair), (chosen, rejected), strict=True)
    )
    return first, second


async def pair_logprobs(learner: LearnerGroup, pairs: Sequence[Pair]) -> list[Logprobs]:
    """Per-token log-probs of both answers of each pair under the model the learner holds."""
    flat = await learner.logprobs([(s,) for pair in pairs for s in pair_sequences(pair)])
    return [(flat[2 * k], flat[2 * k + 1]) for k in range(len(pairs))]


def accuracy(pairs: Sequence[Pair], logprobs: Sequence[Logprobs]) -> float:
    """Share of pairs whose chosen answer has the higher mean log-prob per token; ties count half."""
    means = [
        (chosen.sum() / len(pair.chosen.token_ids), rejected.sum() / len(pair.rejected.token_ids))
        for pair, (chosen, rejected) in zip(pairs, logprobs, strict=True)
    ]
    return _share_won(means)


def reward_accuracy(logprobs: Sequence[Logprobs], reference: Sequence[Logprobs]) -> float:
    """Share of pairs whose chosen answer has the higher implicit reward log p - log p_reference; ties count half.

    What DPO trainers log as `rewards/accuracies`. 0.5 by definition before the first step.
    """
    return _share_won(
        [
            (chosen.sum() - old_chosen.sum(), rejected.sum() - old_rejected.sum())
            for (chosen, rejected), (old_chosen, old_rejected) in zip(logprobs, reference, strict=True)
        ]
    )


def _share_won(values: Sequence[tuple[float, float]]) -> float:
    won = sum(0.5 if first == second else float(first > second) for first, second in values)
    return won / max(1, len(values))
