"""A group from its prompt to its rewards.

Every finished answer goes at once to its verifiers, unless a reward of the prompt must see all its answers.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from operator import itemgetter

from dragoman.rollout import Completion, Sampler, SamplingSettings, sample_seed
from rewards.records import Scorer
from rewards.registry import see_groups
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.settings import RlSettings


@dataclass(frozen=True)
class GroupRollout:
    """Samples and scores groups; seeds depend on the run, the visit and the sample alone."""

    sampler: Sampler
    scorer: Scorer
    settings: RlSettings
    seed: int

    async def group(self, visit: PromptVisit, version: int) -> ScoredGroup:
        """All answers to one visit of a prompt, begun on weights of this version."""
        scored = self._scored_together if see_groups(visit.prompt.specs) else self._scored
        return ScoredGroup(visit, tuple(await scored(visit)), version)

    async def _scored(self, visit: PromptVisit) -> list[Sample]:
        scoring: dict[int, asyncio.Task[Sample]] = {}
        try:
            async with aclosing(self._answers(visit)) as answers:
                async for index, completion in answers:
                    scoring[index] = asyncio.create_task(self._sample(visit, index, completion))
            return await asyncio.gather(*(scoring[index] for index in sorted(scoring)))
        finally:
            for task in scoring.values():
                task.cancel()

    async def _scored_together(self, visit: PromptVisit) -> list[Sample]:
        async with aclosing(self._answers(visit)) as answers:
            ended = sorted([answer async for answer in answers], key=itemgetter(0))
        scores = await self.scorer.score_group(visit.prompt, [completion.text for _, completion in ended])
        return [Sample(index, completion, score) for (index, completion), score in zip(ended, scores, strict=True)]

    async def _sample(self, visit: PromptVisit, index: int, completion: Completion) -> Sample:
        return Sample(index, completion, await self.scorer.score(visit.prompt, completion.text))

    def _answers(self, visit: PromptVisit) -> AsyncGenerator[tuple[int, Completion], None]:
        sampling = SamplingSettings(self.settings.max_tokens, self.settings.temperature)
        task = f"{visit.number}/{visit.id}"
        seeds = [sample_seed(self.seed, task, index) for index in range(self.settings.samples)]
        return self.sampler.generate_group(visit.token_ids, sampling, seeds)
