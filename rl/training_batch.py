"""From scored groups to what the learner trains on. Pure.

A group's advantages are computed over the answers whose reward is known. An answer cut off by the token
limit takes no part in the loss if the recipe says so (its reward still counts in the group's mean: it is
what the policy earns). Channel t of a sequence belongs to the prediction of token t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from dragoman.learner import TokenSequence
from dragoman.learner.encoding import answer_sequence
from rewards.mixing import component_table, gdpo_advantages
from rl.advantages import ADVANTAGES
from rl.groups import Sample, ScoredGroup

Item = TypeVar("Item")


def usable(group: ScoredGroup, section: Mapping[str, Any]) -> bool:
    """Whether a group can teach anything: two known rewards, not all equal under filtering, an answer to train on."""
    rewards = group.rewards
    if len(rewards) < 2 or not any(takes_part(sample, section) for sample in group.samples):
        return False
    return not section["filter_equal_rewards"] or max(rewards) - min(rewards) > 1e-9


def takes_part(sample: Sample, section: Mapping[str, Any]) -> bool:
    """Whether an answer's tokens carry loss: its reward is known, it is not empty, and not cut off if that masks."""
    done = sample.completion
    cut_off = section["mask_truncated"] and done.finish_reason == "length"
    return sample.reward is not None and bool(done.token_ids) and not cut_off


def batch_advantages(groups: Sequence[ScoredGroup], name: str) -> list[dict[int, float]]:
    """For each group of a step, the advantage of each answer with a known reward, by its index.

    `gdpo` standardises every component within its group and the weighted sums over the whole batch
    (`rewards.mixing.gdpo_advantages`); all others look at one group and its mixed rewards.
    """
    known = [[sample for sample in group.samples if sample.reward is not None] for group in groups]
    if name == "gdpo":
        tables = [
            component_table(group.task.row, [s.score for s in samples])
            for group, samples in zip(groups, known, strict=True)
        ]
        values = gdpo_advantages([table for table, _ in tables], [weights for _, weights in tables])
    else:
        values = [ADVANTAGES[name]([s.reward for s in samples if s.reward is not None]) for samples in known]
    return [
        {sample.index: float(value) for sample, value in zip(samples, found, strict=True)}
        for samples, found in zip(known, values, strict=True)
    ]


def group_units(
    group: ScoredGroup, advantages: Mapping[int, float], section: Mapping[str, Any]
) -> list[tuple[TokenSequence]]:
    """One sequence for each answer that takes part in the loss."""
    return [
        (_sequence(group, sample, advantages[sample.index]),) for sample in group.samples if takes_part(sample, section)
    ]


def loss_counts(units: Sequence[tuple[TokenSequence]], groups: int, section: Mapping[str, Any]) -> dict[str, float]:
    """Denominator of the loss: all answer tokens, or for Dr. GRPO a constant."""
    tokens = sum(float(sequence.channels["loss_mask"].sum()) for (sequence,) in units)
    answers = max(1.0, tokens)
    if section["advantage"] == "dr_grpo":
        return {"tokens": float(groups * section["samples"] * section["max_tokens"]), "answer_tokens": answers}
    return {"tokens": answers, "answer_tokens": answers}


def loss_settings(section: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the policy-gradient loss."""
    names = ("clip_low", "clip_high", "importance_correction", "importance_cap", "kl_coefficient")
    return {name: section[name] for name in names}


def mini_batches(groups: Sequence[Item], count: int) -> list[list[Item]]:
    """Groups dealt into at most `count` mini-batches of nearly equal size, none empty."""
    count = min(count, len(groups))
    return [[groups[i] for i in part] for part in np.array_split(np.arange(len(groups)), count)]


def _sequence(group: ScoredGroup, sample: Sample, advantage: float) -> TokenSequence:
    done = sample.completion
    base = answer_sequence(group.task.prompt_ids, done.token_ids, group.task.id)
    mask = base.channels["loss_mask"]
    behaviour = np.zeros(len(mask), np.float32)
    behaviour[len(group.task.prompt_ids) :] = done.logprobs
    channels = {"loss_mask": mask, "advantages": mask * np.float32(advantage), "behaviour_logprobs": behaviour}
    return TokenSequence(base.token_ids, channels, base.label)
