"""What the actors of a recipe take; the estimate of memory is `dragoman.pipeline.memory`'s."""

from cluster.placement import GIB, Placement
from dragoman.pipeline.memory import engine_bytes, learner_bytes
from dragoman.pipeline.model_source import shape_of
from dragoman.recipes import Recipe

DRIVER_GIB = 0.7
REWARD_ACTOR_GIB = 0.15
REWARD_KINDS = 6


def placements(recipe: Recipe) -> list[Placement]:
    """Every role of the run."""
    learner, rollout, shape = recipe.learner, recipe.rollout, shape_of(recipe)
    frozen = int("rl" in recipe.stages and recipe.rl.kl_coefficient > 0 and learner.adapter.kind == "none")
    return [
        Placement("learner", learner.ranks, learner.cpus_per_rank, learner.gpus_per_rank,
                  learner_bytes(shape, learner, frozen) / GIB),
        Placement("rollout", rollout.workers, rollout.cpus_per_worker, rollout.gpus_per_worker,
                  engine_bytes(shape, rollout) / GIB),
        Placement("rewards", REWARD_KINDS, max([0.0, *(p.num_cpus for p in recipe.rewards.pools.values())]), 0,
                  REWARD_ACTOR_GIB),
        Placement("driver", 1, 0, 0, DRIVER_GIB),
    ]  # fmt: skip
