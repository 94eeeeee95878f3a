"""What the actors of a recipe take.

The estimate is of resident memory, from measured sizes of the processes (an empty learner rank and an empty engine)
plus what the weights, gradients and optimiser of the model add.
"""

from __future__ import annotations

from pathlib import Path

from cluster.placement import GIB, Placement
from dragoman.recipes import Recipe

LEARNER_PROCESS_GIB = 0.75
ENGINE_PROCESS_GIB = 1.6
DRIVER_GIB = 0.7
REWARD_ACTOR_GIB = 0.15
REWARD_KINDS = 6


def parameters(recipe: Recipe) -> int:
    """Parameters of the recipe's model; of a checkpoint from the size of its files (2 bytes each assumed)."""
    if recipe.model.path:
        return sum(f.stat().st_size for f in Path(recipe.model.path).expanduser().glob("*.safetensors")) // 2
    m = recipe.model
    attention = m.hidden_size * m.head_dimension * (2 * m.heads + 2 * m.key_value_heads)
    layer = attention + 3 * m.hidden_size * m.intermediate_size
    return m.layers * layer + m.vocabulary_size * m.hidden_size * (1 if m.tie_embeddings else 2)


def placements(recipe: Recipe) -> list[Placement]:
    """Every role of the run."""
    weights = parameters(recipe) * (4 if recipe.learner.dtype == "float32" else 2) / GIB
    learner, rollout = recipe.learner, recipe.rollout
    shards = learner.ranks if learner.zero_stage else 1
    training = weights * (2 + 2 / shards) if learner.zero_stage < 3 else 4 * weights / shards
    return [
        Placement("learner", learner.ranks, learner.cpus_per_rank, learner.gpus_per_rank,
                  LEARNER_PROCESS_GIB + training),
        Placement("rollout", rollout.workers, rollout.cpus_per_worker, rollout.gpus_per_worker,
                  ENGINE_PROCESS_GIB + weights + (0 if rollout.gpus_per_worker else rollout.kv_cache_gib)),
        Placement("rewards", REWARD_KINDS, max([0.0, *(p.num_cpus for p in recipe.rewards.pools.values())]), 0,
                  REWARD_ACTOR_GIB),
        Placement("driver", 1, 0, 0, DRIVER_GIB),
    ]  # fmt: skip
