"""Checks before compute is spent: do the actors fit the cluster, and their memory the machine?

The estimate is of resident memory, from measured sizes of the processes (an empty learner rank and an empty
engine) plus what the weights, gradients and optimiser of the model add.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from cluster.connection import ClusterError
from dragoman.recipes import Recipe

GIB = 1 << 30
LEARNER_PROCESS_GIB = 0.75
ENGINE_PROCESS_GIB = 1.6
DRIVER_GIB = 0.7
REWARD_ACTOR_GIB = 0.15
RAY_HEAD_GIB = 1.2
REWARD_KINDS = 6


@dataclass(frozen=True)
class Placement:
    """A role's actors and what each takes."""

    role: str
    actors: int
    cpus: float
    gpus: float
    memory_gib: float


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


def placement_table(recipe: Recipe) -> Table:
    """For people."""
    table = Table(title="actors and expected memory", title_justify="left")
    for column in ("role", "actors", "CPUs each", "GPUs each", "GiB each"):
        table.add_column(column, justify="left" if column == "role" else "right")
    for p in placements(recipe):
        table.add_row(p.role, str(p.actors), f"{p.cpus:g}", f"{p.gpus:g}", f"{p.memory_gib:.2f}")
    total = sum(p.actors * p.memory_gib for p in placements(recipe))
    table.add_row("all", "", "", "", f"{total:.1f}")
    return table


def check_cluster(recipe: Recipe) -> None:
    """Raise `ClusterError` when the run cannot be placed; a run that waits for resources forever helps nobody."""
    import psutil
    import ray

    needs = placements(recipe)
    wanted = {"CPU": sum(p.actors * p.cpus for p in needs), "GPU": sum(p.actors * p.gpus for p in needs)}
    total, free = ray.cluster_resources(), _free_resources(wanted)
    for name, want in wanted.items():
        if want > free.get(name, 0):
            raise ClusterError(
                f"the actors need {want:g} {name}s, the cluster has {total.get(name, 0):g} and {free.get(name, 0):g} "
                "are free; wait for other jobs, lower learner.ranks, learner.cpus_per_rank, rollout.workers or "
                "rollout.cpus_per_worker (or the GPU twins), or add nodes"
            )
    if len(ray.nodes()) == 1:
        want_gib = sum(p.actors * p.memory_gib for p in needs)
        free = psutil.virtual_memory().available / GIB
        if want_gib > free:
            raise ClusterError(
                f"this run needs about {want_gib:.1f} GiB of memory, {free:.1f} GiB are free; lower "
                "learner.ranks, rollout.workers or rollout.kv_cache_gib, or free memory"
            )


def _free_resources(wanted: dict[str, float], patience_s: float = 30.0) -> dict[str, float]:
    """Resources no actor holds; actors of a job that has just ended get a moment to go."""
    import ray

    began = time.monotonic()
    while True:
        free = dict(ray.available_resources())
        fits = all(want <= free.get(name, 0) for name, want in wanted.items())
        possible = all(want <= ray.cluster_resources().get(name, 0) for name, want in wanted.items())
        if fits or not possible or time.monotonic() - began > patience_s:
            return free
        time.sleep(0.5)
