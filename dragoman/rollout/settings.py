"""Settings of the actors that generate: one vLLM engine each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dragoman.settings import RunOnly, Settings


class RolloutSettings(Settings):
    """The actors that generate: one vLLM engine each."""

    workers: RunOnly[int] = Field(1, ge=1, le=1024)
    cpus_per_worker: RunOnly[float] = Field(1.0, ge=0, le=512)
    gpus_per_worker: RunOnly[float] = Field(0.0, ge=0, le=64)
    threads: RunOnly[int | None] = Field(None, ge=1, le=256)
    """OMP threads of an engine on CPU; empty = the machine's cores over the workers."""
    tensor_parallel: RunOnly[int] = Field(1, ge=1, le=64)
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    max_sequences: RunOnly[int] = Field(128, ge=1, le=4096)
    """Requests decoded together."""
    kv_cache_gib: RunOnly[float] = Field(1.0, gt=0, le=1024)
    gpu_memory_share: RunOnly[float] = Field(0.85, gt=0, le=1)
    enforce_eager: RunOnly[bool] = True
    deadline_s: RunOnly[float] = Field(1800.0, gt=0)
    """Longest time in which a worker that has answers to give gives none; then it is replaced."""
    health_deadline_s: RunOnly[float] = Field(20.0, gt=0)
    """Longest silence of a worker: for a ping, and for a bucket of weights. After it, it is replaced."""
    max_restarts: RunOnly[int] = Field(20, ge=0, le=100_000)
    """How many workers may be replaced in a run before it stops."""
    sync_bucket_mib: RunOnly[float] = Field(256, gt=0, le=16_384)
    """Weights travel to the engines in buckets of at most this size, one call a bucket."""
    transport: RunOnly[Literal["gloo", "shared_memory", "nccl", "ipc", "auto"]] = "gloo"
    """How weights travel: through host memory between any nodes (gloo), through shared memory on one node, between GPUs
    (nccl), on a GPU that learner and engine share (ipc); auto = the fastest that fits the placement."""
    colocate: RunOnly[bool] = False
    """Engine i shares the GPU of learner rank i: it sleeps while the learner trains. Only strictly on-policy."""
    other_dtype: RunOnly[bool] = False
    """The engines may compute in another dtype than the learner: their log-probs then differ from the learner's by more
    than rounding, and importance ratios are off from the first step."""

    @model_validator(mode="after")
    def _gpus_for_every_shard(self) -> RolloutSettings:
        if self.tensor_parallel > max(1, self.gpus_per_worker):
            raise ValueError(
                f"rollout.tensor_parallel={self.tensor_parallel} needs as many GPUs, rollout.gpus_per_worker is "
                f"{self.gpus_per_worker:g}; raise it or lower rollout.tensor_parallel"
            )
        return self
