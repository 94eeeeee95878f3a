"""Transports and sharing that cannot work are refused by the recipe, with the mend; the rest gets what fits it best."""

import pytest

from cluster.connection import ClusterError
from dragoman.pipeline.placement import rollout_settings
from dragoman.recipes import RecipeError, load_recipe

GPUS = ["learner.gpus_per_rank=0.5", "rollout.gpus_per_worker=0.5"]
SHARED = [*GPUS, "learner.ranks=1", "rollout.colocate=true"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["rollout.transport=ipc"], r"set rollout.colocate=true"),
        ([*SHARED, "rollout.transport=nccl"], r"needs a GPU for each end"),
        (["rollout.transport=nccl", "learner.gpus_per_rank=1"], r"rollout.gpus_per_worker 0;"),
        (["rollout.colocate=true"], r"engines on CPU cannot sleep"),
        ([*SHARED, "learner.gpus_per_rank=0.75"], r"0.75 GPUs each.*do not fit"),
        ([*SHARED, "rollout.workers=2"], r"1 ranks.*2 workers.*do not fit"),
        ([*SHARED, "rl.staleness=1", "rl.correction.kind=truncate"], r"rl.staleness=1 lets engines work"),
        ([*SHARED, "rl.evaluation.every=5"], r"rl.evaluation.every=5 lets engines work"),
    ],
)
def test_what_cannot_work_is_refused(changes, said):
    with pytest.raises(RecipeError, match=said):
        load_recipe(None, changes)


@pytest.mark.parametrize(
    ("changes", "nodes", "chosen"),
    [
        ([], 1, "gloo"),
        (["rollout.transport=auto"], 1, "shared_memory"),
        (["rollout.transport=auto"], 2, "gloo"),
        (["rollout.transport=auto", "learner.gpus_per_rank=1"], 2, "gloo"),
        (["rollout.transport=auto", "learner.gpus_per_rank=1", "rollout.gpus_per_worker=1"], 2, "nccl"),
        ([*SHARED, "rollout.transport=auto"], 1, "ipc"),
        (["rollout.transport=shared_memory"], 1, "shared_memory"),
    ],
)
def test_auto_takes_what_fits_the_placement(changes, nodes, chosen):
    assert rollout_settings(load_recipe(None, changes), nodes).transport == chosen


def test_shared_memory_on_two_nodes_is_refused_before_an_actor_starts():
    with pytest.raises(ClusterError, match=r"the cluster has 2; set rollout.transport to gloo or auto"):
        rollout_settings(load_recipe(None, ["rollout.transport=shared_memory"]), 2)
