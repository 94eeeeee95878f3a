"""On which device a reward's model runs: the GPU that Ray reserved for its worker, or else the CPU."""


def assigned_device() -> str:
    """`cpu`, or the accelerator of this worker. A pool gets one with `num_gpus` (PoolSettings, recipe)."""
    import ray
    import torch

    if ray.is_initialized() and not ray.get_runtime_context().get_accelerator_ids().get("GPU"):
        return "cpu"
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return str(accelerator) if accelerator is not None else "cpu"
