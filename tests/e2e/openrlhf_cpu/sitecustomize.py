"""Stand-ins that let OpenRLHF's own trainer run without a GPU: for tests alone, in processes that have this folder in
PYTHONPATH. Each patch is applied right after its module was imported; none touches what is computed.
"""

import importlib.abc
import importlib.util
import sys


def torch_without_cuda(torch):
    cuda = torch.cuda
    cuda.set_device = lambda *a, **k: None  # a function for each: torch's compiler keeps rules by function
    cuda.synchronize = lambda *a, **k: None
    cuda.current_stream = lambda *a, **k: None
    cuda.empty_cache = lambda: None
    cuda.current_device = lambda: "cpu"


def replay_buffer_on_cpu(module):
    import torch

    class Torch:
        def __getattr__(self, name):
            return getattr(torch, name)

        def device(self, _):
            return torch.device("cpu")

    module.torch = Torch()


def adam_of_torch(module):
    """DeepSpeed's own Adam is compiled when it is first used, for minutes; torch's is the same rule."""
    original = module.get_train_ds_config

    def config(*a, **k):
        made = original(*a, **k)
        if "optimizer" in made:
            made["optimizer"]["params"]["torch_adam"] = True
        return made

    module.get_train_ds_config = config


def mesh_on_cpu(module):
    original = module.init_device_mesh
    module.init_device_mesh = lambda device, *a, **k: original("cpu", *a, **k)


class Gloo:
    """What OpenRLHF uses of a NCCL communicator."""

    def __init__(self, group):
        self.group = group

    def broadcast(self, tensor, src=0, stream=None):
        self.group.broadcast(tensor if tensor.is_contiguous() else tensor.contiguous(), src).wait()


def channel_by_gloo(module):
    def connect(address, port, rank, world, device):
        from vllm.distributed.utils import stateless_init_torch_distributed_process_group

        return Gloo(stateless_init_torch_distributed_process_group(address, port, rank, world, backend="gloo"))

    module.stateless_init_process_group = connect


def actor_with_that_channel(module):
    from openrlhf.utils.distributed_util import stateless_init_process_group

    module.stateless_init_process_group = stateless_init_process_group


def receiver_on_cpu(module):
    """vLLM packs linear layers on CPU: they are reloaded layer by layer, and a tied head is packed again."""

    def update_weight(self, name, dtype, shape, empty_cache=False):
        import torch
        from vllm.config import set_current_vllm_config
        from vllm.model_executor.layers.utils import dispatch_cpu_unquantized_gemm
        from vllm.model_executor.model_loader.reload import finalize_layerwise_reload, initialize_layerwise_reload

        model = self.model_runner.model
        weight = torch.empty(tuple(shape), dtype=dtype)
        self._model_update_group.broadcast(weight, src=0)
        with set_current_vllm_config(self.vllm_config):
            if not getattr(self, "_reloading", False):
                initialize_layerwise_reload(model)
                self._reloading = True
            model.load_weights(weights=[(name, weight)])
            if empty_cache:  # the last of them
                finalize_layerwise_reload(model, self.model_config)
                self._reloading = False
                if getattr(model.config, "tie_word_embeddings", False):
                    dispatch_cpu_unquantized_gemm(model.lm_head, remove_weight=False)

    module.WorkerWrap.update_weight = update_weight


def engine_on_cpu(module):
    import vllm

    arguments = vllm.AsyncEngineArgs

    class Vllm:
        def __getattr__(self, name):
            return getattr(vllm, name)

        def AsyncEngineArgs(self, *a, **k):
            k.pop("enable_sleep_mode", None)
            return arguments(*a, **(k | {"gpu_memory_utilization": 0.05, "max_num_seqs": 32}))

    module.vllm = Vllm()


PATCHES = {
    "torch": torch_without_cuda,
    "openrlhf.trainer.ppo_utils.replay_buffer": replay_buffer_on_cpu,
    "openrlhf.utils.deepspeed.deepspeed_utils": adam_of_torch,
    "openrlhf.utils.deepspeed.deepspeed": mesh_on_cpu,
    "openrlhf.utils.distributed_util": channel_by_gloo,
    "openrlhf.trainer.ray.ppo_actor": actor_with_that_channel,
    "openrlhf.trainer.ray.vllm_worker_wrap": receiver_on_cpu,
    "openrlhf.trainer.ray.vllm_engine": engine_on_cpu,
}


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules above as usual, and patches them when they have been run."""

    def __init__(self):
        self.looking = set()

    def find_spec(self, name, path=None, target=None):
        if name not in PATCHES or name in self.looking:
            return None
        self.looking.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.looking.discard(name)
        run = spec.loader.exec_module

        def patched(module):
            run(module)
            PATCHES[name](module)

        spec.loader.exec_module = patched
        return spec


sys.meta_path.insert(0, Finder())
