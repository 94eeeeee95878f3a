"""The optimiser steps of one batch of groups.

    groups -> credit (algorithm) -> one sequence an answer, with channels -> mini-batches -> log-probs that the
           algorithm asks for -> a step on each mini-batch, data of earlier stages beside it (PTX)

An answer cut off by the token limit takes no part in the loss if the recipe says so (its reward still counts in the
group's mean: it is what the policy earns). Channel t of a sequence belongs to the prediction of token t.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dragoman.learner import TokenSequence, Trainer
from dragoman.learner.encoding import answer_sequence
from dragoman.learner.schedule import learning_rate
from pretrain_sft.ptx import PtxSource
from rl.algorithms import Algorithm, Credit
from rl.groups import Sample, ScoredGroup

Item = TypeVar("Item")
AnswerUnit = tuple[TokenSequence]
"""One answer; each is packed by itself"""


@dataclass(frozen=True)
class Update:
    """Trains a policy on batches of groups."""

    trainer: Trainer
    algorithm: Algorithm
    ptx: PtxSource | None = None

    async def __call__(
        self, step: int, groups: Sequence[ScoredGroup], credits: Sequence[Mapping[int, Credit]]
    ) -> dict[str, float]:
        """The optimiser steps of batch `step`; metrics of the last, agreement of the first."""
        settings = self.algorithm.settings
        batches = mini_batches(list(zip(groups, credits, strict=True)), settings.mini_batches)
        units = [[u for group, given in batch for u in group_units(self.algorithm, group, given)] for batch in batches]
        for channel, frozen in self.algorithm.logprob_channels().items():
            if len(units) > 1 or frozen is not None:  # a single step starts from the policy itself
                units = [await self._with_logprobs(part, channel, frozen) for part in units]
        first: dict[str, float] = {}
        metrics: dict[str, float] = {}
        for number, (batch, part) in enumerate(zip(batches, units, strict=True)):
            objectives = [self.algorithm.objective(part, len(batch))]
            if self.ptx is not None:
                objectives.append(self.ptx.objective(step, number, len(batches)))
            metrics = await self.trainer.train_step(objectives, learning_rate(step, settings))
            first = first or metrics
        metrics["agreement"] = first["logprob_max_abs_diff"]
        return metrics

    async def _with_logprobs(self, units: Sequence[AnswerUnit], channel: str, frozen: str | None) -> list[AnswerUnit]:
        values = await self.trainer.logprobs(units, self.algorithm.settings.temperature, frozen)
        return [
            (TokenSequence(s.token_ids, {**s.channels, channel: v}, s.label),)
            for (s,), v in zip(units, values, strict=True)
        ]


def group_units(algorithm: Algorithm, group: ScoredGroup, credits: Mapping[int, Credit]) -> list[AnswerUnit]:
    """One sequence for each answer that takes part in the loss."""
    return [(_sequence(group, s, credits[s.index]),) for s in group.samples if algorithm.carries_loss(s)]


def mini_batches(groups: Sequence[Item], count: int) -> list[list[Item]]:
    """Groups dealt into at most `count` mini-batches of nearly equal size, none empty."""
    count = min(count, len(groups))
    return [[groups[i] for i in part] for part in np.array_split(np.arange(len(groups)), count)]


def _sequence(group: ScoredGroup, sample: Sample, credit: Credit) -> TokenSequence:
    done, prompt = sample.completion, group.visit.token_ids
    base = answer_sequence(prompt, done.token_ids, group.visit.id)
    behaviour, advantages = np.zeros((2, len(base.token_ids)), np.float32)
    behaviour[len(prompt) :] = done.logprobs
    advantages[len(prompt) :] = credit.per_token(len(done.token_ids))
    channels = {**base.channels, "advantages": advantages, "behaviour_logprobs": behaviour}
    return TokenSequence(base.token_ids, channels, base.label)
