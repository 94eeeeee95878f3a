"""The optimiser steps of one batch of groups.

    groups -> credit (algorithm) -> one sequence an answer, with channels -> log-probs that the algorithm asks for
           -> its shape of the whole batch -> mini-batches -> a step on each, auxiliary objectives beside it

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
from pretrain_sft.auxiliary import AuxiliarySource
from rl.algorithms import Algorithm, AnswerUnit, Credit
from rl.distillation import Distillation
from rl.failures import RlError
from rl.groups import Sample, ScoredGroup

Item = TypeVar("Item")


@dataclass(frozen=True)
class Update:
    """Trains a policy on batches of groups."""

    trainer: Trainer
    algorithm: Algorithm
    auxiliary: Sequence[AuxiliarySource] = ()
    distillation: Distillation | None = None

    def __post_init__(self) -> None:
        if self.algorithm.value_head() is not None and not hasattr(self.trainer, "values"):
            raise RlError(
                f"rl.algorithm={self.algorithm.settings.algorithm} needs a value head, and this learner "
                f"({type(self.trainer).__name__}) has none; choose an algorithm without one, for instance reinforce_pp"
            )

    async def __call__(
        self, step: int, groups: Sequence[ScoredGroup], credits: Sequence[Mapping[int, Credit]]
    ) -> dict[str, float]:
        """The optimiser steps of batch `step`; metrics of the last, agreement of the first."""
        settings = self.algorithm.settings
        for name in self.algorithm.refreshed_models(step):
            await self.trainer.refresh_frozen(name)
        answers = [(group, sample) for group in groups for sample in self._trained(group)]
        units = [u for g, given in zip(groups, credits, strict=True) for u in group_units(self.algorithm, g, given)]
        units = self.algorithm.shape(await self._with_channels(units))
        taught: dict[str, float] = {}
        if self.distillation is not None:
            units, taught = await self.distillation(units, answers)
        batches = mini_batches(_regrouped(units, [len(self._trained(g)) for g in groups]), settings.mini_batches)
        first: dict[str, float] = {}
        metrics: dict[str, float] = {}
        for number, batch in enumerate(batches):
            objectives = [self.algorithm.objective([unit for own in batch for unit in own], len(batch))]
            objectives += [beside.objective(step, number, len(batches)) for beside in self.auxiliary]
            metrics = await self.trainer.train_step(objectives, learning_rate(step, settings))
            first = first or metrics
        metrics["agreement"] = first["logprob_max_abs_diff"]
        return {**metrics, **taught}

    def _trained(self, group: ScoredGroup) -> list[Sample]:
        return [sample for sample in group.samples if self.algorithm.carries_loss(sample)]

    async def _with_channels(self, units: list[AnswerUnit]) -> list[AnswerUnit]:
        """The units with the log-probs and values that the algorithm asks for."""
        for channel, frozen in self.algorithm.logprob_channels().items():
            values = await self.trainer.logprobs(units, self.algorithm.settings.temperature, frozen)
            units = _with(units, channel, values)
        if self.algorithm.value_head() is not None:
            units = _with(units, "values", await self.trainer.values(units))
        return units


def _regrouped(units: Sequence[AnswerUnit], sizes: Sequence[int]) -> list[list[AnswerUnit]]:
    """Units one behind the other as groups of these sizes; ValueError where they are more or fewer."""
    found: list[list[AnswerUnit]] = [[] for _ in sizes]
    for owner, unit in zip(np.repeat(np.arange(len(sizes)), sizes), units, strict=True):
        found[owner].append(unit)
    return found


def _with(units: Sequence[AnswerUnit], channel: str, values: Sequence[np.ndarray]) -> list[AnswerUnit]:
    return [(s.with_channels({channel: value}),) for (s,), value in zip(units, values, strict=True)]


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
    advantages[len(prompt) :] = credit.per_token(len(done.token_ids)) * group.visit.weight
    channels = {**base.channels, "advantages": advantages, "behaviour_logprobs": behaviour}
    return TokenSequence(base.token_ids, channels, base.label)
