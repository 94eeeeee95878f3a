"""Rollouts: vLLM engines as Ray actors, and the protocol that gives them new weights.

`RolloutGroup` is the handle the stages hold: `generate_group` asks the least busy worker, `generate_many` deals its
prompts to all, `load` reads a folder's weights into all of them, `sync` pushes the learner's under a version number.
Used by the preference stage, by reinforcement learning and by the evaluation.
"""

from dragoman.rollout.completion import Completion, SamplingSettings, answer_text, sample_seed
from dragoman.rollout.group import RolloutGroup
from dragoman.rollout.sampler import Sampler
from dragoman.rollout.settings import RolloutSettings

__all__ = ["Completion", "RolloutGroup", "RolloutSettings", "Sampler", "SamplingSettings", "answer_text", "sample_seed"]
