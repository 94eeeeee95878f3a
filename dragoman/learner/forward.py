"""Token statistics of packed rows: the log-probability of each token given its own document's past.

`logprobs[r, t] = log p(token[r, t] | tokens before it in the same document)`, at the temperature the
rollout sampled with; the first token of a document and padding have 0. The same function serves every
stage and the comparison with the rollout engine, so "the learner's log-prob" has one definition.

The output head runs only at the positions whose prediction is wanted. A prompt token's logits would be thrown away,
and with a vocabulary of 150,000 they are the largest tensor of the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from dragoman.learner.packing import MicroBatch


class TokenStatistics:
    """All float32 [R, L]; 0 where nothing is predicted. The last two are computed when a loss first asks for them."""

    logprobs: Tensor
    """log p of the token"""

    def __init__(self, chosen: Tensor, targets: Tensor, wanted: Tensor) -> None:
        """`chosen`: float32 logits [N, V] that predict the N tokens `targets`, the true places of `wanted` [R, L]."""
        self._logits, self._wanted = chosen.detach(), wanted
        # cross-entropy is fused, and the gradient of an index_select far cheaper than that of fancy indexing
        self.logprobs = self._spread(-cross_entropy(chosen, targets, reduction="none"))

    @cached_property
    def entropy(self) -> Tensor:
        """Entropy of the distribution the token was drawn from, in nats; no gradient."""
        expected = (torch.softmax(self._logits, -1) * self._logits).sum(-1)
        return self._spread(self._normaliser - expected)

    @cached_property
    def log_expected(self) -> Tensor:
        """log sum_v p(v)^2: log of the expected probability of a token drawn from the model (WPO); no gradient."""
        return self._spread((2 * self._logits).logsumexp(-1) - 2 * self._normaliser)

    @cached_property
    def _normaliser(self) -> Tensor:
        return self._logits.logsumexp(-1)

    def _spread(self, values: Tensor) -> Tensor:
        return torch.zeros(self._wanted.shape, device=values.device).masked_scatter(self._wanted, values)


def token_statistics(model: torch.nn.Module, batch: dict[str, Tensor], temperature: float = 1.0) -> TokenStatistics:
    """Statistics of every token that some channel asks for (or of all, without a `loss_mask`).

    `batch`: tensors of a `MicroBatch` from `to_tensors`. Softmax in float32 whatever the model's dtype.
    """
    tokens = batch["token_ids"]
    wanted = _predicted(batch)
    places = wanted.flatten().nonzero().squeeze(-1)
    with _head_only_at(model, places - 1):
        logits = model(input_ids=tokens, position_ids=batch["position_ids"], use_cache=False).logits
    chosen = logits.squeeze(0).float()
    if temperature != 1:
        chosen = chosen / temperature
    return TokenStatistics(chosen, tokens.flatten()[places], wanted)


@contextmanager
def _head_only_at(model: torch.nn.Module, places: Tensor) -> Iterator[None]:
    """Inside, the model's logits are [1, N, V]: those of the N `places` of the flattened [R, L] positions."""
    head: torch.nn.Module = model.get_output_embeddings()  # type: ignore[operator]

    def select(_module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (inputs[0].flatten(0, 1).index_select(0, places)[None], *inputs[1:])

    hook = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        hook.remove()


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
