"""Token statistics of packed rows: the log-probability of each token given its own document's past.

`logprobs[r, t] = log p(token[r, t] | tokens before it in the same document)`, at the temperature the
rollout sampled with; the first token of a document and padding have 0. The same function serves every
stage and the comparison with the rollout engine, so "the learner's log-prob" has one definition.

The output head runs only at the positions whose prediction is wanted (`dragoman.learner.head`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dragoman.learner.head import KEPT_BYTES, STATISTICS, HeadWork, OtherHead, head_replaced, hidden_instead
from dragoman.learner.packed_attention import forward_arguments
from dragoman.learner.packing import MicroBatch


@dataclass(frozen=True)
class TokenStatistics:
    """All float32 [R, L]; 0 where nothing is predicted, and where a statistic was not asked for."""

    logprobs: Tensor
    """log p of the token"""
    entropy: Tensor
    """Entropy of the distribution the token was drawn from, in nats; with a gradient where it was asked for"""
    log_expected: Tensor
    """log sum_v p(v)^2: log of the expected probability of a token drawn from the model (WPO); no gradient"""
    divergence: Tensor
    """KL(p || q) of the distribution from another model's, in nats; 0 without one"""
    values: Tensor
    """What the value head expects of the rewards from this token on; 0 without one"""


def token_statistics(
    model: Any,
    batch: dict[str, Tensor],
    temperature: float = 1.0,
    statistics: Sequence[str] = STATISTICS,
    kept_bytes: int = KEPT_BYTES,
    *,
    entropy_gradient: bool = False,
    teacher: Any = None,
) -> TokenStatistics:
    """Statistics of every token that some channel asks for (or of all, without a `loss_mask`).

    `batch`: tensors of a `MicroBatch` from `to_tensors`. `statistics`: the needed ones; each costs a pass over the
    logits, and `("values",)` alone needs no logits. `kept_bytes`: see `dragoman.learner.head`.
    `teacher`: the other model of `divergence`.
    """
    tokens = batch["token_ids"]
    wanted = _predicted(batch)
    places = wanted.flatten().nonzero().squeeze(-1)
    network = getattr(model, "module", model)  # what DeepSpeed wraps
    softcap = getattr(network.config, "final_logit_softcapping", None)
    work = HeadWork(
        _predecessors(batch, places), tokens.flatten()[places], temperature, softcap, statistics, kept_bytes,
        entropy_gradient, None if teacher is None else other_head(teacher, batch, places),
    )  # fmt: skip
    with head_replaced(network, work):
        packing = forward_arguments(network.config, batch["sequence_ids"], batch["position_ids"])
        output = model(input_ids=tokens, position_ids=batch["position_ids"], use_cache=False, **packing)
    logprobs, entropy, log_expected, divergence, values = output.logits.squeeze(0).unbind(-1)
    return TokenStatistics(
        _spread(logprobs, wanted),
        _spread(entropy if entropy_gradient else entropy.detach(), wanted),
        _spread(log_expected.detach(), wanted),
        _spread(divergence, wanted),
        _spread(values, wanted),
    )


@torch.no_grad()
def other_head(model: Any, batch: dict[str, Tensor], places: Tensor) -> OtherHead:
    """What another model predicts at the predecessors of some places, as its head would be given it."""
    with hidden_instead(model, _predecessors(batch, places)):
        packing = forward_arguments(model.config, batch["sequence_ids"], batch["position_ids"])
        output = model(
            input_ids=batch["token_ids"], position_ids=batch["position_ids"], use_cache=False, **packing
        )  # fmt: skip
    head = model.get_output_embeddings()
    softcap = getattr(model.config, "final_logit_softcapping", None)
    return OtherHead(output.logits.squeeze(0), head.weight, head.bias, softcap)


def _spread(values: Tensor, wanted: Tensor) -> Tensor:
    """Values of the true places of `wanted` [R, L], 0 elsewhere."""
    return torch.zeros(wanted.shape, device=values.device).masked_scatter(wanted, values)


def to_tensors(batch: MicroBatch, device: torch.device) -> dict[str, Tensor]:
    """A micro-batch as tensors: ids, and each channel under its own name."""
    arrays: dict[str, np.ndarray] = {
        "token_ids": batch.token_ids,
        "position_ids": batch.position_ids,
        "sequence_ids": batch.sequence_ids,
        **batch.channels,
    }
    return {name: torch.tensor(a, device=device) for name, a in arrays.items()}


def _predicted(batch: dict[str, Tensor]) -> Tensor:
    """Where a statistic is wanted: inside a document, not its first token, under the mask if there is one."""
    inside = (batch["sequence_ids"] >= 0) & (batch["position_ids"] > 0)
    if "loss_mask" in batch:
        inside = inside & (batch["loss_mask"] != 0)
    return inside


def _predecessors(batch: dict[str, Tensor], places: Tensor) -> Tensor:
    """Flattened places of the tokens before those at `places`: the one beside it, or the end of a shared prompt."""
    owners, positions = batch["sequence_ids"].flatten(), batch["position_ids"].flatten()
    every = torch.arange(len(owners), device=owners.device)
    prompts = torch.where((owners >= 0) & (positions == 0), every, 0).cummax(0).values
    beside = owners[places] == owners[places - 1]
    return torch.where(beside, places - 1, prompts[places] + positions[places] - 1)
