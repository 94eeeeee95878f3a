"""Token statistics of packed rows: the log-probability of each token given its own document's past.

`logprobs[r, t] = log p(token[r, t] | tokens before it in the same document)`, at the temperature the
rollout sampled with; the first token of a document and padding have 0. The same function serves every
stage and the comparison with the rollout engine, so "the learner's log-prob" has one definition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from learner.packing import MicroBatch


@dataclass(frozen=True)
class TokenStatistics:
    """All float32 [R, L]; 0 where nothing is predicted."""

    logprobs: Tensor
    """log p of the token"""
    entropy: Tensor
    """Entropy of the distribution it was drawn from, in nats; no gradient"""
    log_expected: Tensor
    """log sum_v p(v)^2: log of the expected probability of a token drawn from the model (WPO); no gradient"""


def token_statistics(model: torch.nn.Module, batch: dict[str, Tensor], temperature: float = 1.0) -> TokenStatistics:
    """Statistics of every token that some channel asks for (or of all, without a `loss_mask`).

    `batch`: tensors of a `MicroBatch` from `to_tensors`. Softmax in float32 whatever the model's dtype.
    """
    tokens, positions = batch["token_ids"], batch["position_ids"]
    logits = model(input_ids=tokens, position_ids=positions, use_cache=False).logits
    wanted = _predicted(batch)
    rows, columns = wanted.nonzero(as_tuple=True)
    chosen = logits[rows, columns - 1].float() / temperature
    normaliser = chosen.logsumexp(-1)
    logprobs = chosen.gather(-1, tokens[rows, columns].unsqueeze(-1)).squeeze(-1) - normaliser
    with torch.no_grad():
        detached = chosen.detach()
        probabilities = torch.softmax(detached, -1)
        entropy = normaliser.detach() - (probabilities * detached).sum(-1)
        log_expected = (2 * detached).logsumexp(-1) - 2 * normaliser.detach()

    def spread(values: Tensor) -> Tensor:
        return torch.zeros(tokens.shape, dtype=torch.float32, device=tokens.device).index_put((rows, columns), values)

    return TokenStatistics(spread(logprobs), spread(entropy), spread(log_expected))


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
