"""Do engine and learner agree? The log-probs of the engine's own samples, computed again by the learner."""

from collections.abc import Sequence

import numpy as np

from dragoman.learner import Trainer
from dragoman.learner.encoding import answer_sequence
from dragoman.rollout import Sampler, SamplingSettings

PROBES = 4
PROBE_TOKENS = 16


async def probe_agreement(
    trainer: Trainer, sampler: Sampler, prompts: Sequence[Sequence[int]], temperature: float
) -> float:
    """Largest |log p (engine) - log p (learner)| over fresh answers to the first few prompts.

    Both must hold the same weights. Fresh requests only: an answer begun under older weights differs
    rightly.
    """
    asked = [prompts[i % len(prompts)] for i in range(PROBES)]
    sampling = SamplingSettings(PROBE_TOKENS, temperature)
    answers = await sampler.generate_many(asked, sampling, [7919 + i for i in range(PROBES)])
    units = [(answer_sequence(p, a.token_ids),) for p, a in zip(asked, answers, strict=True)]
    values = await trainer.logprobs(units, temperature)
    return max(
        float(np.abs(value[len(prompt) :] - np.asarray(answer.logprobs)).max())
        for prompt, answer, value in zip(asked, answers, values, strict=True)
    )
