"""Rollouts: vLLM engines as Ray actors, and the protocol that gives them new weights.

`RolloutGroup` is the handle the stages hold: `generate` and `generate_many` route requests to the least
busy worker, `sync` pushes the learner's weights into all of them under a version number. Used by the
preference stage, by reinforcement learning and by the evaluation; that is why it is a room of its own.
"""

from rollout.group import RolloutGroup
from rollout.records import Completion, SamplingSettings, sample_seed

__all__ = ["Completion", "RolloutGroup", "SamplingSettings", "sample_seed"]
