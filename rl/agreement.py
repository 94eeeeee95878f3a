"""Do engine and learner agree? The log-probs of the engine's own samples, computed again by the learner."""

from __future__ import annotations

import numpy as np

from dragoman.learner import LearnerGroup
from dragoman.learner.encoding import answer_sequence
from dragoman.rollout import RolloutGroup, SamplingSettings
from rl.prompts import PromptSource


async def probe_agreement(
    learner: LearnerGroup, rollout: RolloutGroup, prompts: PromptSource, temperature: float, count: int = 4
) -> float:
    """Largest |log p (engine) - log p (learner)| over fresh answers to `count` prompts.

    Both must hold the same weights. Fresh requests only: an answer begun under older weights differs
    rightly.
    """
    asked = [prompts.prompts[i % len(prompts.prompts)] for i in range(count)]
    answers = await rollout.generate_many(asked, SamplingSettings(16, temperature), [7919 + i for i in range(count)])
    units = [(answer_sequence(p, a.token_ids),) for p, a in zip(asked, answers, strict=True)]
    values = await learner.logprobs(units, temperature)
    return max(
        float(np.abs(value[len(prompt) :] - np.asarray(answer.logprobs)).max())
        for prompt, answer, value in zip(asked, answers, values, strict=True)
    )
