"""The one place that knows which accelerator there is; nothing else in the project names CUDA."""

import ctypes
import gc
import os
from typing import Any

import numpy as np
import torch


def uses_gpu() -> bool:
    """Whether this process was given a GPU (Ray sets the visible devices of an actor)."""
    return torch.cuda.is_available()


def device() -> torch.device:
    """The device of this process."""
    return torch.device("cuda", 0) if uses_gpu() else torch.device("cpu")


def current_device() -> torch.device:
    """The device that this process works on, where it was given several: vLLM's workers choose one each."""
    return torch.device("cuda", torch.cuda.current_device()) if uses_gpu() else torch.device("cpu")


def device_identity() -> str:
    """The GPU that this process works on, by a name that is the same in every process."""
    return str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)


def wait_for_device() -> None:
    """Until all that this process has asked of its GPU is done."""
    torch.cuda.current_stream().synchronize()


def collective_backend() -> str:
    """torch.distributed's backend for this device."""
    return "nccl" if uses_gpu() else "gloo"


def prepare_process(threads: int) -> None:
    """Settings a process needs before DeepSpeed is imported: threads, and no build of unused kernels.

    On CPU DeepSpeed compiles a shared-memory all-reduce for inference on first use (half a minute with a
    compiler installed, an error without); training does not call it, so the build is switched off.
    """
    os.environ.setdefault("DS_ACCELERATOR", "cuda" if uses_gpu() else "cpu")
    if uses_gpu():
        torch.cuda.set_device(0)
        return
    torch.set_num_threads(threads)
    import deepspeed.ops

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def random_state() -> dict[str, Any]:
    """States of all random generators of this process."""
    state = {"torch": torch.get_rng_state(), "numpy": np.random.get_state()}
    return state | ({"accelerator": torch.cuda.get_rng_state()} if uses_gpu() else {})


def restore_random_state(state: dict[str, Any]) -> None:
    """Back to what `random_state` returned."""
    torch.set_rng_state(state["torch"])
    np.random.set_state(state["numpy"])
    if uses_gpu():
        torch.cuda.set_rng_state(state["accelerator"])


def peak_memory_bytes() -> int:
    """Largest memory of this process so far: of the GPU, or resident on CPU."""
    if uses_gpu():
        return int(torch.cuda.max_memory_allocated())
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def release_memory() -> None:
    """Let go of what nothing refers to, and give freed memory back to the system."""
    gc.collect()
    if uses_gpu():
        torch.cuda.empty_cache()
    give_back_freed()


def give_back_freed() -> None:
    """Give the host memory that was freed back to the system: the allocators keep gigabytes of it after a model or a
    copied snapshot, and tcmalloc does not hear what glibc is told."""
    process = ctypes.CDLL(None)
    for name, arguments in (("MallocExtension_ReleaseFreeMemory", ()), ("malloc_trim", (0,))):
        release = getattr(process, name, None)  # preloaded tcmalloc's, glibc's; other C libraries have neither
        if release is not None:
            release(*arguments)
            return
