"""The actor that OpenRLHF's rollout workers ask for rewards, and that logs what they sampled.

It has the prompts and the reward pools of the run. A prompt's visit is named by its number; its answers come one by one
and are scored at once, or, where a reward must see the whole group, when the last of them is there. Groups are written
to `samples.jsonl` when a step has all of its own.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from dragoman.recipes import Recipe
from dragoman.rollout import Completion
from rewards import RewardError, RewardPools
from rewards.records import Score
from rewards.registry import see_groups
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.samples_log import SamplesLog


def door_name(run: str) -> str:
    """Of the actor of a run."""
    return f"dragoman/{run}/door"


class RewardDoor:
    """Async Ray actor. `first_step` is that of a resumed run; visits are those that are still to come."""

    def __init__(self, recipe: Recipe, visits: Sequence[PromptVisit], samples: Path, first_step: int) -> None:
        rewards = recipe.rewards
        self._pools = RewardPools(rewards.pools, rewards.plugins, f"{recipe.name}-door", rewards.mixing)
        self._settings, self._visits = recipe.rl, {visit.number: visit for visit in visits}
        self._log, self._step = SamplesLog(samples), first_step
        self._answers: dict[int, list[Completion]] = {}
        self._groups: dict[int, asyncio.Future[list[Score]]] = {}
        self._samples: dict[int, list[Sample]] = {}
        self._complete: list[ScoredGroup] = []

    async def start(self) -> None:
        """Start the pools of every kind that the prompts name."""
        await self._pools.start_async({spec.kind for visit in self._visits.values() for spec in visit.prompt.specs})
        self._log.rewind(self._step)

    async def score(self, number: int, answer: Completion) -> Score:
        """The score of one answer to a visit; KeyError for a number that is none of the run's."""
        prompt = self._visits[number].prompt
        if see_groups(prompt.specs):
            score = await self._scored_in_group(number, answer)
        else:
            score = await self._pools.score(prompt, answer.text)
        if score.reward is not None:
            self._keep(number, answer, score)
        return score

    def steps(self) -> int:
        """Steps whose answers are all scored."""
        return self._step

    def stats(self) -> Mapping[str, object]:
        """Of the reward checks."""
        return self._pools.stats()

    def close(self) -> None:
        """End the pools' actors."""
        self._pools.close()

    async def _scored_in_group(self, number: int, answer: Completion) -> Score:
        waiting = self._answers.setdefault(number, [])
        place = len(waiting)
        if place == self._settings.samples:  # asked again, and the others have been scored already
            raise RewardError(
                f"a reward that sees the whole group to prompt {number} could not be computed for an answer"
            )
        waiting.append(answer)
        group = self._groups.setdefault(number, asyncio.get_running_loop().create_future())
        if len(waiting) == self._settings.samples:
            try:
                texts = [one.text for one in waiting]
                group.set_result(await self._pools.score_group(self._visits[number].prompt, texts))
            except Exception as error:
                group.set_exception(error)
        return (await group)[place]

    def _keep(self, number: int, answer: Completion, score: Score) -> None:
        samples = self._samples.setdefault(number, [])
        samples.append(Sample(len(samples), answer, score))
        if len(samples) < self._settings.samples:
            return
        self._complete.append(ScoredGroup(self._visits[number], tuple(self._samples.pop(number)), self._step))
        if len(self._complete) == self._settings.groups_per_step:
            ordered = sorted(self._complete, key=lambda group: group.visit.number)
            self._log.write(self._step, ordered, [{}] * len(ordered), [])
            self._complete, self._step = [], self._step + 1
