"""What the actors of a recipe take; the estimate of memory is `dragoman.pipeline.memory`'s."""

from pathlib import Path

from cluster.connection import ClusterError
from cluster.placement import GIB, Placement
from dragoman.checkpoints.pretrained import read_shape
from dragoman.pipeline.memory import WIDTH, engine_bytes, learner_bytes
from dragoman.pipeline.model_source import shape_of
from dragoman.recipes import Recipe
from dragoman.rollout import RolloutSettings
from rl.algorithms import find_algorithm

DRIVER_GIB = 0.7
REWARD_ACTOR_GIB = 0.15
REWARD_KINDS = 6


def placements(recipe: Recipe) -> list[Placement]:
    """Every role of the run."""
    learner, rollout, shape = recipe.learner, recipe.rollout, shape_of(recipe)
    frozen, teacher = (frozen_copies(recipe), teacher_bytes(recipe)) if "rl" in recipe.stages else (0, 0.0)
    return [
        Placement("learner", learner.ranks, learner.cpus_per_rank, learner.gpus_per_rank,
                  (learner_bytes(shape, learner, frozen) + teacher) / GIB),
        Placement("rollout", rollout.workers, rollout.cpus_per_worker, rollout.gpus_per_worker,
                  engine_bytes(shape, rollout) / GIB),
        Placement("rewards", REWARD_KINDS, max([0.0, *(p.num_cpus for p in recipe.rewards.pools.values())]), 0,
                  REWARD_ACTOR_GIB),
        Placement("driver", 1, 0, 0, DRIVER_GIB),
    ]  # fmt: skip


def rollout_settings(recipe: Recipe, nodes: int) -> RolloutSettings:
    """The rollout section with a transport of weights that fits the placement on so many nodes.

    Raises ClusterError where the one that the recipe names does not.
    """
    rollout, between_gpus = recipe.rollout, bool(recipe.learner.gpus_per_rank and recipe.rollout.gpus_per_worker)
    if rollout.transport == "shared_memory" and nodes > 1:
        raise ClusterError(
            f"rollout.transport=shared_memory needs learner and engines on one node, and the cluster has {nodes}; set "
            "rollout.transport to gloo or auto"
        )
    if rollout.transport != "auto":
        return rollout
    if rollout.colocate:
        chosen = "ipc"
    elif between_gpus:
        chosen = "nccl"
    else:
        chosen = "shared_memory" if nodes == 1 else "gloo"
    return rollout.model_copy(update={"transport": chosen})


def frozen_copies(recipe: Recipe) -> int:
    """How many whole models a learner rank holds beside the policy in RL; without its adapters that is the parent."""
    parent = Path("parent")
    models = find_algorithm(recipe.rl.algorithm)(recipe.rl).frozen_models(parent).values()
    adapted = recipe.learner.adapter.kind != "none" and not recipe.rl.kl.refresh_every
    return sum(model != parent or not adapted for model in models)


def teacher_bytes(recipe: Recipe) -> float:
    """Weights of a teacher, whole on every rank."""
    teacher = recipe.rl.distillation.teacher
    return read_shape(Path(teacher)).parameters * WIDTH[recipe.learner.dtype] if teacher else 0.0
