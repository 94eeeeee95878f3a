"""Rollouts: vLLM engines as Ray actors, and the protocol that gives them new weights.

`RolloutGroup` is the handle the stages hold: `generate` and `generate_many` route requests to the least
busy worker, `sync` pushes the learner's weights into all of them under a version number. Used by the
preference stage, by reinforcement learning and by the evaluation; that is why it is a room of its own.
"""

from dragoman.rollout.completion import Completion, SamplingSettings, sample_seed
from dragoman.rollout.group import RolloutGroup

__all__ = ["Completion", "RolloutGroup", "SamplingSettings", "sample_seed"]
