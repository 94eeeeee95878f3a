"""Settings of the learner: the actors that hold gradients, the model they hold, how fast a stage trains it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from dragoman.settings import RunOnly, Settings


class ModelSettings(Settings):
    """The base model: a folder with a Hugging Face checkpoint, or a small network made from scratch."""

    path: str | None = None
    """Folder of a Hugging Face checkpoint with its tokenizer, `package:NAME` (`dragoman packages list`) or a name on
    the hub; empty = build from the numbers below."""
    accept_licences: RunOnly[tuple[str, ...]] = ()
    """Licences of packaged models that you have read and accept."""
    kept_pieces: int | None = Field(None, ge=1000, le=1_000_000)
    """Cut a checkpoint's vocabulary down to about so many pieces, those that the run's texts use most; empty = all."""
    vocabulary_size: int = Field(2048, ge=300, le=300_000)
    hidden_size: int = Field(192, ge=32, le=16_384)
    layers: int = Field(4, ge=1, le=128)
    heads: int = Field(6, ge=1, le=128)
    key_value_heads: int = Field(6, ge=1, le=128)
    head_dimension: Literal[32, 64, 80, 96, 112, 128, 192, 256] = 32
    """The head sizes vLLM's CPU attention supports."""
    intermediate_size: int = Field(512, ge=32, le=65_536)
    context: int = Field(256, ge=64, le=131_072)
    """Longest sequence in tokens, prompt and answer together."""
    tie_embeddings: bool = True
    template_date: str = "2026-01-01"
    """The day that a chat template is told when it asks for today's date (Llama 3's does)."""

    @field_validator("template_date")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        return date.fromisoformat(value).isoformat()

    @model_validator(mode="after")
    def _grouped_heads(self) -> ModelSettings:
        if self.heads % self.key_value_heads:
            raise ValueError(f"heads ({self.heads}) must be a multiple of key_value_heads ({self.key_value_heads})")
        return self


class AdapterSettings(Settings):
    """Low-rank adapters: train some per cent of the weights instead of all."""

    kind: Literal["none", "lora", "dora"] = "none"
    rank: int = Field(16, ge=1, le=4096)
    alpha: int | None = Field(None, ge=1)
    """Adapters are scaled by alpha / rank; empty = twice the rank."""


class LearnerSettings(Settings):
    """The actors that hold gradients: one Ray actor per data-parallel rank, DeepSpeed inside."""

    ranks: RunOnly[int] = Field(1, ge=1, le=4096)
    cpus_per_rank: RunOnly[float] = Field(1.0, ge=0, le=512)
    gpus_per_rank: RunOnly[float] = Field(0.0, ge=0, le=1)
    threads: RunOnly[int | None] = Field(None, ge=1, le=256)
    """OMP threads of a rank on CPU; empty = the machine's cores over the ranks. More threads than free cores is slower
    by an order of magnitude."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    zero_stage: RunOnly[Literal[0, 1, 2, 3]] = 0
    """How much is sharded over the ranks; with bfloat16 0 means 1, because gradients add up in float32 there."""
    offload_optimizer: RunOnly[bool] = False
    """Keep Adam's states, and the float32 weights of bfloat16, in the node's memory and step there (ZeRO-Offload): on a
    GPU 12 bytes a parameter less, and slower steps. Needs ZeRO."""
    row_tokens: int = Field(256, ge=16, le=1_048_576)
    """Length of a packed row; documents in a row never attend to each other, longer ones are cut there."""
    rows_per_micro_batch: RunOnly[int] = Field(8, ge=1, le=4096)
    gradient_clipping: float = Field(1.0, gt=0, le=1000)
    deadline_s: RunOnly[float] = Field(1800.0, gt=0)
    """Longest wait for one call to the ranks (a step, a save); then they are started again."""
    health_deadline_s: RunOnly[float] = Field(60.0, gt=0)
    """Longest silence of a rank: one that does not answer a ping for so long hangs, and all ranks are started again."""
    max_restarts: RunOnly[int] = Field(3, ge=0, le=1000)
    """How often in a run dead or hung ranks are started again, from the newest checkpoint, before the run stops."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    adapter: AdapterSettings = AdapterSettings()
    freeze_embeddings: bool = False
    """Leave the embeddings, and a head that is tied to them, as they are."""
    recompute_activations: RunOnly[bool] = False
    """Keep one activation a layer and compute the rest again (gradient checkpointing): a third more work, a fraction
    of the memory."""
    background_snapshots: RunOnly[bool] = True
    """Write checkpoints while training goes on, from a copy in host memory (12 bytes a parameter in float32, over the
    ranks with ZeRO); without it training waits until they are on disk."""
    kept_logits_mib: RunOnly[int] = Field(512, ge=1, le=1_048_576)
    """Logits of a micro-batch up to this size, in `dtype`, are made once and leave their gradient for the backward
    pass; larger ones are made in pieces, twice."""

    @model_validator(mode="after")
    def _gradients_add_up_in_float32(self) -> LearnerSettings:
        if self.dtype == "bfloat16" and self.zero_stage == 2:
            raise ValueError(
                "learner.zero_stage=2 adds up bfloat16 gradients in bfloat16 (DeepSpeed 0.19.6), which loses most of a "
                "large batch; set learner.zero_stage to 1 or 3"
            )
        return self

    @model_validator(mode="after")
    def _offload_needs_zero(self) -> LearnerSettings:
        if self.offload_optimizer and self.zero_stage == 0 and self.dtype == "float32":
            raise ValueError("learner.offload_optimizer needs ZeRO; set learner.zero_stage to 1, 2 or 3")
        return self

    @model_validator(mode="after")
    def _packing_is_seen(self) -> LearnerSettings:
        if self.attention == "flash_attention_2" and self.rows_per_micro_batch > 1:
            raise ValueError(
                "learner.attention=flash_attention_2 keeps packed documents apart only in rows of their own "
                "(transformers detects packing at batch size 1); set learner.rows_per_micro_batch=1 and a "
                "larger learner.row_tokens"
            )
        return self


class OptimiserSettings(Settings):
    """What every training stage has: how long, how large, how fast."""

    steps: int = Field(100, ge=1, le=10_000_000)
    learning_rate: float | None = Field(None, gt=0, le=1)
    """The peak. Empty = 1e-3 for a network from random weights; for a checkpoint by stage, size and adapters
    (docs/recipes.md)."""
    final_learning_rate_share: float = Field(0.1, ge=0, le=1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_share: float = Field(0.05, ge=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=1)
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    adam_beta2: float = Field(0.98, ge=0, lt=1)
    checkpoint_every: RunOnly[int] = Field(100, ge=1, le=1_000_000)
    """Steps between resumable checkpoints."""
