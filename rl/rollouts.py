"""A group from its prompt to its rewards: every finished answer goes at once to its verifiers."""

import asyncio
from dataclasses import dataclass

from dragoman.rollout import Sampler, SamplingSettings, sample_seed
from rewards.records import Scorer
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
        samples = await asyncio.gather(*(self._sample(visit, index) for index in range(self.settings.samples)))
        return ScoredGroup(visit, tuple(samples), version)

    async def _sample(self, visit: PromptVisit, index: int) -> Sample:
        sampling = SamplingSettings(self.settings.max_tokens, self.settings.temperature)
        seed = sample_seed(self.seed, f"{visit.number}/{visit.id}", index)
        completion = await self.sampler.generate(visit.token_ids, sampling, seed)
        return Sample(index, completion, await self.scorer.score(visit.prompt, completion.text))
