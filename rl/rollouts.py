"""A group from its prompt to its rewards.

Every finished answer goes at once to its verifiers, unless a reward of the prompt must see all its answers.
"""

import asyncio
from dataclasses import dataclass

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
        indices = range(self.settings.samples)
        if not see_groups(visit.prompt.specs):
            samples = await asyncio.gather(*(self._sample(visit, index) for index in indices))
            return ScoredGroup(visit, tuple(samples), version)
        answers = await asyncio.gather(*(self._answer(visit, index) for index in indices))
        scores = await self.scorer.score_group(visit.prompt, [answer.text for answer in answers])
        return ScoredGroup(visit, tuple(map(Sample, indices, answers, scores)), version)

    async def _sample(self, visit: PromptVisit, index: int) -> Sample:
        completion = await self._answer(visit, index)
        return Sample(index, completion, await self.scorer.score(visit.prompt, completion.text))

    async def _answer(self, visit: PromptVisit, index: int) -> Completion:
        sampling = SamplingSettings(self.settings.max_tokens, self.settings.temperature)
        return await self.sampler.generate(
            visit.token_ids, sampling, sample_seed(self.seed, f"{visit.number}/{visit.id}", index)
        )
