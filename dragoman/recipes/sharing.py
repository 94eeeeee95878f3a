"""Which transports of weights and which sharing of GPUs a recipe may ask for; refused before any actor starts."""

from dragoman.learner.settings import LearnerSettings
from dragoman.rollout.settings import RolloutSettings
from rl.settings import RlSettings


def check_transport(learner: LearnerSettings, rollout: RolloutSettings) -> None:
    """Raise ValueError for a transport that cannot work between these actors."""
    if rollout.transport == "ipc" and not rollout.colocate:
        raise ValueError(
            "rollout.transport=ipc hands weights over on a GPU that learner and engine share; set "
            "rollout.colocate=true, or rollout.transport to nccl, gloo or auto"
        )
    if rollout.transport == "nccl" and rollout.colocate:
        raise ValueError(
            "rollout.transport=nccl needs a GPU for each end, and with rollout.colocate=true both have the same one; "
            "set rollout.transport to ipc or auto"
        )
    if rollout.transport == "nccl" and not (learner.gpus_per_rank and rollout.gpus_per_worker):
        raise ValueError(
            f"rollout.transport=nccl works between GPUs only, and learner.gpus_per_rank is {learner.gpus_per_rank:g}, "
            f"rollout.gpus_per_worker {rollout.gpus_per_worker:g}; set rollout.transport to gloo or auto"
        )


def check_colocation(learner: LearnerSettings, rollout: RolloutSettings, rl: RlSettings) -> None:
    """Raise ValueError where engines and ranks cannot take turns on the same GPUs."""
    if not rollout.colocate:
        return
    if not (learner.gpus_per_rank and rollout.gpus_per_worker):
        raise ValueError(
            "rollout.colocate=true shares GPUs, and vLLM's engines on CPU cannot sleep; give learner.gpus_per_rank and "
            "rollout.gpus_per_worker a share each, 0.5 for instance, or set rollout.colocate=false"
        )
    if learner.gpus_per_rank + rollout.gpus_per_worker > 1 or learner.ranks != rollout.workers:
        raise ValueError(
            f"with rollout.colocate=true engine i shares the GPU of rank i: {learner.ranks} ranks with "
            f"{learner.gpus_per_rank:g} GPUs each and {rollout.workers} workers with {rollout.gpus_per_worker:g} do "
            "not fit; take as many workers as ranks, and shares that sum to at most 1"
        )
    if rl.staleness or rl.evaluation.every is not None:
        asked = f"rl.staleness={rl.staleness}" if rl.staleness else f"rl.evaluation.every={rl.evaluation.every}"
        raise ValueError(
            f"{asked} lets engines work while the learner trains, and with rollout.colocate=true they sleep then; set "
            "rl.staleness=0 and no rl.evaluation.every, or rollout.colocate=false"
        )
