"""One learner rank as a Ray actor: the process group, and remote calls into its `TrainingEngine`.

Heavy imports happen inside the actor. Ranks are driven in lock-step by `learner.group.LearnerGroup`.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray

from dragoman.actors import ActorProcess, this_process, write_stacks_on_signal
from dragoman.learner.losses import Loss
from dragoman.learner.objective import ObjectiveShard
from dragoman.learner.packing import MicroBatch
from dragoman.learner.settings import LearnerSettings, OptimiserSettings
from dragoman.learner.trainer import Channel, Sent
from dragoman.learner.value_head import ValueHead


class LearnerRank:
    """Data-parallel rank `rank`."""

    def __init__(self, rank: int, settings: LearnerSettings) -> None:
        from dragoman.learner.device import prepare_process

        self.rank, self.ranks, self.settings = rank, settings.ranks, settings
        self.engine: Any = None
        self.channel: Any = None
        self.copied: Any = None
        self._process = this_process()
        write_stacks_on_signal(f"learner/{rank}")
        prepare_process(int(os.environ["OMP_NUM_THREADS"]))

    def address(self) -> tuple[str, int]:
        """This node's address and a free port on it."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            return ray.util.get_node_ip_address(), probe.getsockname()[1]

    def connect(self, host: str, port: int) -> None:
        """Join the ranks' process group."""
        import deepspeed

        from dragoman.learner.device import collective_backend

        os.environ.update(LOCAL_RANK="0", RANK=str(self.rank), WORLD_SIZE=str(self.ranks))
        os.environ.update(MASTER_ADDR=host, MASTER_PORT=str(port))
        deepspeed.init_distributed(
            dist_backend=collective_backend(),
            auto_mpi_discovery=False,
            init_method=f"tcp://{host}:{port}",
            rank=self.rank,
            world_size=self.ranks,
            verbose=False,
        )

    def load(self, folder: str, optimiser: OptimiserSettings, seed: int, value_head: ValueHead | None = None) -> None:
        """Put the model of a folder under a fresh optimiser, with a value head if one is asked for."""
        import torch

        from dragoman.learner.engine import TrainingEngine

        if self.engine is not None:
            self.engine.close()
        torch.manual_seed(seed)
        np.random.seed(seed)
        self.engine = TrainingEngine(Path(folder), self.settings, optimiser, value_head)

    def train_step(
        self, shards: Sequence[ObjectiveShard], learning_rate: float
    ) -> tuple[dict[str, float], dict[str, float]]:
        return self.engine.train_step(shards, learning_rate)

    def load_frozen(self, name: str, folder: str) -> None:
        self.engine.load_frozen(name, Path(folder))

    def refresh_frozen(self, name: str) -> None:
        self.engine.refresh_frozen(name)

    def logprobs(self, batches: Sequence[MicroBatch], temperature: float, frozen: str | None) -> list[np.ndarray]:
        return self.engine.logprobs(batches, temperature, frozen)

    def values(self, batches: Sequence[MicroBatch]) -> list[np.ndarray]:
        return self.engine.values(batches)

    def loss(self, batches: Sequence[MicroBatch], loss: Loss, counts: Mapping[str, float]) -> dict[str, float]:
        return self.engine.loss(batches, loss, counts)

    def save(self, folder: str) -> None:
        self.engine.save(Path(folder), self.rank)

    def copy_checkpoint(self, folder: str, tag: str) -> None:
        """See `TrainingEngine.copy_checkpoint`."""
        self.copied = self.engine.copy_checkpoint(Path(folder), tag)

    @ray.method(concurrency_group="files")
    def write_checkpoint(self) -> None:
        """Write the copy, in a thread of its own: no collectives; rank 0 notes how the state is sharded."""
        from dragoman.learner.device import give_back_freed

        if self.rank == 0:
            self._sharding().write(self.copied.folder)
        self.copied.write()
        give_back_freed()

    def _sharding(self) -> Any:
        from dragoman.learner.resharding import Sharding

        return Sharding(self.ranks, self.settings.zero_stage, self.settings.dtype)

    def load_checkpoint(self, folder: str, tag: str) -> None:
        """See `TrainingEngine.load_checkpoint`. Raises CheckpointMismatch."""
        from dragoman.learner.resharding import Sharding

        written = Sharding.of(Path(folder) / tag)
        self._sharding().check(written, Path(folder) / tag)
        self.engine.load_checkpoint(Path(folder), tag, written.ranks)

    def open_channel(self, channel: Channel) -> None:
        """Open this rank's end of the weight channel to the rollout engines."""
        from dragoman.learner.transports import open_end

        self.channel = None
        self.channel = open_end(channel, 0)

    def close_channel(self) -> None:
        """Let go of all who wait for this end."""
        self.channel = None

    def buckets(self, limit_bytes: int) -> list[Any]:
        """How weights are grouped for export."""
        return self.engine.buckets(limit_bytes)

    def send_bucket(self, bucket: Any) -> Sent | None:
        """Gather one bucket on all ranks; those that have an end of the channel send it."""
        from dragoman.learner.weight_channel import send

        if self.rank == 0 and self.channel is None:
            raise RuntimeError("the channel of weights was closed; it has to be opened again")
        with self.engine.gathered(bucket.names) as tensors:
            return None if self.channel is None else send(self.channel, bucket, tensors)

    @ray.method(concurrency_group="health")
    def ping(self) -> ActorProcess:
        """Answers, in a thread of its own, as long as the process is not stopped."""
        return self._process

    def peak_memory_bytes(self) -> int:
        """Largest memory of this process so far."""
        from dragoman.learner.device import peak_memory_bytes

        return peak_memory_bytes()
