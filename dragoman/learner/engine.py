"""The training engine of one rank: DeepSpeed around a Hugging Face model, one optimiser step at a time.

One engine serves every stage. An optimiser step is: forward and backward over this rank's micro-batches
with any loss of the registry, gradient reduction at the last one, clip, AdamW. Two conventions make the
result independent of how the batch was cut:
  * losses divide by counts of the *whole* batch, so gradients are summed over micro-batches (and over objectives, each
    with its weight), and
  * DeepSpeed averages gradients over ranks, so the loss is multiplied by the number of ranks.
ZeRO stage 0 to 3 by recipe; parameters are gathered in buckets for export, never all at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dragoman.learner.adapters import ExportedWeight, adapter_base, adapter_factors, add_adapters, exported_weights
from dragoman.learner.device import device, random_state, release_memory, restore_random_state
from dragoman.learner.forward import TokenStatistics, to_tensors, token_statistics
from dragoman.learner.frozen import FILE as FROZEN
from dragoman.learner.frozen import FrozenModels
from dragoman.learner.head import STATISTICS, VALUES
from dragoman.learner.host_copy import HostCopy
from dragoman.learner.losses import Loss
from dragoman.learner.model import packed_model, save_model
from dragoman.learner.objective import ObjectiveShard
from dragoman.learner.packing import MicroBatch
from dragoman.learner.resharding import reads_universal, universal_state
from dragoman.learner.settings import LearnerSettings, OptimiserSettings
from dragoman.learner.trainer import TEACHER
from dragoman.learner.value_head import ValueHead, add_value_head, is_of_value_head
from dragoman.learner.weight_channel import Bucket, plan_buckets
from dragoman.learner.zero import deepspeed_config, effective_zero_stage, read_in_shards


class TrainingEngine:
    """Model, optimiser and their updates on one rank; all ranks must make the same calls."""

    def __init__(
        self, folder: Path, learner: LearnerSettings, optimiser: OptimiserSettings, value_head: ValueHead | None = None
    ) -> None:
        import deepspeed

        self.folder, self.ranks, self.stage = folder, learner.ranks, effective_zero_stage(learner)
        self.dtype = learner.dtype
        self.kept_bytes, self.copied_snapshots = learner.kept_logits_mib << 20, learner.background_snapshots
        self.frozen = FrozenModels(folder, learner.dtype, learner.attention)
        with read_in_shards(learner) if self.stage == 3 else nullcontext():
            model = trained_model(folder, learner)
        self.adapters = adapter_base(model, folder, learner.dtype) if learner.adapter.kind != "none" else None
        if value_head is not None:
            add_value_head(model)
        self.partly_frozen = not all(parameter.requires_grad for parameter in model.parameters())
        if self.stage < 3:  # under ZeRO-3 DeepSpeed moves shards, so the whole need not fit the device
            model = model.to(device())
        model.train()
        self.engine, *_ = deepspeed.initialize(
            model=model,
            optimizer=torch.optim.AdamW(
                parameter_groups(model, optimiser.weight_decay, value_head),
                lr=0.0,
                betas=(optimiser.adam_beta1, optimiser.adam_beta2),
                fused=True,
            ),
            config=deepspeed_config(learner),
        )

    def train_step(
        self, shards: Sequence[ObjectiveShard], learning_rate: float
    ) -> tuple[dict[str, float], dict[str, float]]:
        """One optimiser step on the sum of all objectives; returns this rank's metric sums and maxima."""
        for group in self.engine.optimizer.param_groups:
            group["lr"] = learning_rate * group.get("lr_factor", 1.0)
        sums: dict[str, float] = {}
        maxima: dict[str, float] = {}
        work = [(shard, batch) for shard in shards for batch in shard.batches]
        for index, (shard, batch) in enumerate(work):
            tensors = to_tensors(batch, device())
            statistics = self._statistics(tensors, shard.loss, shard.temperature)
            output = shard.loss(statistics, tensors, shard.counts)
            self.engine.set_gradient_accumulation_boundary(index == len(work) - 1)
            self.engine.backward(output.loss * (shard.weight * self.ranks), scale_wrt_gas=False)
            for name, value in output.sums.items():
                sums[shard.metric(name)] = sums.get(shard.metric(name), 0.0) + float(value)
            for name, value in output.maxima.items():
                maxima[shard.metric(name)] = max(maxima.get(shard.metric(name), -np.inf), float(value))
        self.engine.step()
        norm = self.engine.get_global_grad_norm()
        if norm is not None:
            maxima["gradient_norm"] = float(norm)
        return sums, maxima

    def load_frozen(self, name: str, folder: Path) -> None:
        """Hold another checkpoint under a name, never trained, whole on every rank.

        Where adapters are trained, the model they began with is the policy without them, and is not loaded again.
        """
        if hasattr(self.engine.module, "disable_adapter") and folder.resolve() == self.folder.resolve():
            self.frozen.drop(name)
            return
        self.frozen.load(name, folder)

    def refresh_frozen(self, name: str) -> None:
        """Let a frozen model be the policy as it is now, adapters merged."""
        self.frozen.refresh(name, self._weights())

    @torch.no_grad()
    def logprobs(self, batches: Sequence[MicroBatch], temperature: float, frozen: str | None) -> list[np.ndarray]:
        """Log-probabilities of the masked tokens, float32 [R, L] each, under the policy or a frozen model."""
        with self._model(frozen) as model:
            return [
                token_statistics(
                    model, to_tensors(batch, device()), temperature, ("logprobs",), self.kept_bytes
                ).logprobs.cpu().numpy()
                for batch in batches
            ]  # fmt: skip

    @torch.no_grad()
    def values(self, batches: Sequence[MicroBatch]) -> list[np.ndarray]:
        """What the value head says of the masked tokens, float32 [R, L] each."""
        found = (token_statistics(self.engine, to_tensors(batch, device()), 1.0, (VALUES,)) for batch in batches)
        return [statistics.values.cpu().numpy() for statistics in found]

    @torch.no_grad()
    def loss(self, batches: Sequence[MicroBatch], loss: Loss, counts: Mapping[str, float]) -> dict[str, float]:
        """Metric sums of a loss without training, on held-out data."""
        sums: dict[str, float] = {}
        for batch in batches:
            tensors = to_tensors(batch, device())
            output = loss(self._statistics(tensors, loss, 1.0), tensors, counts)
            for key, value in output.sums.items():
                sums[key] = sums.get(key, 0.0) + float(value)
        return sums

    def buckets(self, limit_bytes: int) -> list[Bucket]:
        """How the weights travel to engines; adapters alone, where an engine can merge them. Needs no gathering."""
        if self.adapters is None:
            return self._plan(self._exported(), limit_bytes)
        found = self._plan(adapter_factors(self.engine.module), limit_bytes)
        return [replace(bucket, adapters=self.adapters) for bucket in found]

    def _plan(self, weights: Mapping[str, ExportedWeight], limit_bytes: int) -> list[Bucket]:
        return plan_buckets(((name, w.shape, self.dtype) for name, w in weights.items()), limit_bytes)

    @contextmanager
    def gathered(self, names: Sequence[str]) -> Iterator[list[torch.Tensor]]:
        """The full tensors of some weights or factors of adapters (a collective under ZeRO-3)."""
        import deepspeed

        exported = self._exported() | ({} if self.adapters is None else adapter_factors(self.engine.module))
        chosen = [exported[name] for name in names]
        parts = [parameter for weight in chosen for parameter in weight.parameters]
        with deepspeed.zero.GatheredParameters(parts, enabled=self.stage == 3):
            yield [weight.value() for weight in chosen]

    def save(self, folder: Path, rank: int) -> None:
        """Write a Hugging Face folder; every rank takes part, rank 0 writes."""
        copies = {name: weight.cpu().clone() if rank == 0 else None for name, weight in self._weights()}
        if rank == 0:
            save_model(folder, {name: copy for name, copy in copies.items() if copy is not None}, self.folder)
        torch.distributed.barrier()

    def copy_checkpoint(self, folder: Path, tag: str) -> HostCopy:
        """Everything a resumed run needs, to be written under `folder/tag`: weights, optimiser, random states, sharded
        by rank. A collective; what `HostCopy.write` does later is none.

        Host memory: what this rank writes. In bytes a parameter, the first rank: weights (4, or 2 in bfloat16; shared
        out under ZeRO-3) and AdamW's two moments (8), under ZeRO shared out and with the float32 copy of the weights
        (12 over the ranks); the others only what is shared out. A refreshed frozen model comes on top on the first.
        """
        copy, rank = HostCopy(folder / tag, kept=self.copied_snapshots), torch.distributed.get_rank()
        whole, self.engine.checkpoint_engine = self.engine.checkpoint_engine, copy.of_deepspeed(self.engine)
        try:
            self.engine.save_checkpoint(
                str(folder), tag=tag, save_latest=False, exclude_frozen_parameters=self.partly_frozen
            )
        finally:
            self.engine.checkpoint_engine = whole
        if rank == 0:
            copy.add(FROZEN, self.frozen.refreshed())
        copy.add(f"random_{rank}.pt", random_state())
        return copy

    def load_checkpoint(self, folder: Path, tag: str, ranks: int) -> None:
        """Back to a state that `copy_checkpoint` took on so many ranks; exactly that if these are as many.

        On another number weights and moments are the same, and the random states those of `rank % ranks`.
        """
        if ranks != self.ranks and self.stage:
            with universal_state(folder, tag) as whole, reads_universal(self.engine):
                self.engine.load_checkpoint(str(folder), tag=whole)
        else:
            self.engine.load_checkpoint(str(folder), tag=tag, load_module_strict=not self.partly_frozen)
        self.frozen.restore(folder / tag)
        file = folder / tag / f"random_{torch.distributed.get_rank() % ranks}.pt"
        restore_random_state(torch.load(file, weights_only=False))

    def close(self) -> None:
        """Free the model and the optimiser, so that the rank can load another model."""
        self.engine.destroy()
        self.engine = None
        self.frozen.clear()
        release_memory()

    @contextmanager
    def _model(self, frozen: str | None) -> Iterator[torch.nn.Module]:
        """The policy, a frozen model, or the policy without its adapters."""
        if frozen is None or frozen in self.frozen:
            yield self.engine if frozen is None else self.frozen[frozen]
        else:
            with self.engine.module.disable_adapter():
                yield self.engine

    def _statistics(self, tensors: dict[str, torch.Tensor], loss: Loss, temperature: float) -> TokenStatistics:
        needed = getattr(loss, "statistics", STATISTICS)
        return token_statistics(
            self.engine, tensors, temperature, needed, self.kept_bytes,
            entropy_gradient=getattr(loss, "entropy_gradient", False),
            teacher=self.frozen[TEACHER] if "divergence" in needed and TEACHER in self.frozen else None,
        )  # fmt: skip

    def _weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The exported weights, gathered a GiB at a time; each is valid until the next is asked for."""
        for bucket in self._plan(self._exported(), 1 << 30):
            whole = [piece.name for piece in bucket.pieces if piece.is_last]
            with self.gathered(whole) as tensors:
                yield from zip(whole, (tensor.detach() for tensor in tensors), strict=True)

    def _exported(self) -> dict[str, ExportedWeight]:
        return exported_weights(self.engine.module)


def trained_model(folder: Path, learner: LearnerSettings) -> Any:
    """The model of a folder, with what is not trained frozen."""
    model = packed_model(folder, learner.dtype, learner.attention)
    if learner.recompute_activations:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if learner.adapter.kind != "none":
        return add_adapters(model, learner.adapter)
    if learner.freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    return model


def parameter_groups(
    model: torch.nn.Module, weight_decay: float, value_head: ValueHead | None = None
) -> list[dict[str, Any]]:
    """Matrices decay; norms, biases and a value head do not. A weight that was read in shards is flat, and knows its
    shape."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    parameters = [p for name, p in named if not is_of_value_head(name)]
    matrices = [p for p in parameters if len(getattr(p, "ds_shape", p.shape)) >= 2]
    others = [p for p in parameters if len(getattr(p, "ds_shape", p.shape)) < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    if value_head is None:
        return groups
    valuing = [p for name, p in named if is_of_value_head(name)]
    return [*groups, {"params": valuing, "weight_decay": 0.0, "lr_factor": value_head.learning_rate_factor}]
