"""Checks before compute is spent: do the actors of a run fit the cluster, and their memory the machine?"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from cluster.connection import ClusterError
from dragoman.actors import Places

GIB = 1 << 30


@dataclass(frozen=True)
class Placement:
    """A role's actors and what each takes."""

    role: str
    actors: int
    cpus: float
    gpus: float
    memory_gib: float


def placement_table(placements: Sequence[Placement]) -> Table:
    """Roles with what each of their actors takes, and the memory of all."""
    table = Table(title="actors and expected memory", title_justify="left")
    for column in ("role", "actors", "CPUs each", "GPUs each", "GiB each"):
        table.add_column(column, justify="left" if column == "role" else "right")
    for p in placements:
        table.add_row(p.role, str(p.actors), f"{p.cpus:g}", f"{p.gpus:g}", f"{p.memory_gib:.2f}")
    total = sum(p.actors * p.memory_gib for p in placements)
    table.add_row("all", "", "", "", f"{total:.1f}")
    return table


def check_cluster(needs: Sequence[Placement]) -> None:
    """Raise `ClusterError` when the run cannot be placed; a run that waits for resources forever helps nobody."""
    import psutil
    import ray

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


def node_count() -> int:
    """Nodes of the cluster that live."""
    import ray

    return sum(bool(node["Alive"]) for node in ray.nodes())


def shared_places(number: int, cpus: float, gpus: float) -> Places:
    """So many bundles, each for one actor of every role that shares it."""
    from ray.util.placement_group import placement_group

    return Places(placement_group([{"CPU": cpus, "GPU": gpus}] * number))


def give_back(places: Places) -> None:
    """Let go of the bundles, whose actors end with them."""
    from ray.util.placement_group import remove_placement_group

    if places.group is not None:
        remove_placement_group(places.group)


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
