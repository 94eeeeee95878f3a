"""Attention over packed rows, document by document.

A mask that keeps the documents of a row apart makes attention compute the whole square of the row and throw most of it
away: with documents of 30 tokens in rows of 512, nineteen parts of twenty. Here each document attends on its own.
Documents of about one length (between two powers of two) form a batch, the shorter ones padded at their end, where
causal attention never looks; no mask is needed, so torch's fast causal kernels apply, on CPU and on GPU, or what is
faster for short documents on CPU (`dragoman.learner.short_attention`). A document that shares its prompt with another
(`dragoman.learner.packing`) gathers the prompt's keys, values and queries before its own; what the copies of the
queries find is dropped.

transformers calls `attend` in place of its own attention in every layer of a model prepared by `use`, and hands it the
keyword arguments of the model's forward, `documents` among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dragoman.learner.short_attention import pays, short_attention

NAME = "dragoman_packed"


@dataclass(frozen=True)
class Documents:
    """Where the documents of a micro-batch [R, L] lie."""

    batches: tuple[Tensor, ...]
    """int64 [S, M] each: flattened positions of S documents of up to M tokens, shared prompts included; 0 after the end
    of shorter ones"""
    inverse: Tensor
    """int64 [R * L]: of each position its index in all batches, flattened one after the other; 0 where padded"""


def use(model: Any) -> None:
    """Let a model attend document by document; its forward then needs `documents`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    model.set_attn_implementation(NAME)


def forward_arguments(config: Any, sequence_ids: Tensor, position_ids: Tensor) -> Mapping[str, Documents]:
    """What the forward of a model needs beside ids and positions: the documents, if it was prepared by `use`."""
    return {"documents": locate(sequence_ids, position_ids)} if config._attn_implementation == NAME else {}


def locate(sequence_ids: Tensor, position_ids: Tensor) -> Documents:
    """The documents of [R, L] ids, -1 where padded; a micro-batch without any gets one, of its first position."""
    flat = sequence_ids.flatten()
    places = (flat >= 0).nonzero().squeeze(-1)
    if not len(places):
        places = flat.new_zeros(1)
    own = torch.unique_consecutive(flat[places], return_counts=True)[1]
    starts = own.cumsum(0) - own
    shared = position_ids.flatten()[places[starts]]
    prompts = torch.where(shared == 0, starts, 0).cummax(0).values
    lengths = shared + own
    inverse, batches, filled = torch.zeros_like(flat), [], 0
    sizes = (lengths - 1).clamp_min(1).log2().floor()
    for size in sizes.unique():
        chosen = (sizes == size).nonzero().squeeze(-1)
        width = int(lengths[chosen].max())
        offsets = torch.arange(width, device=flat.device)
        inside, behind = offsets < lengths[chosen, None], offsets >= shared[chosen, None]
        at = torch.where(behind, starts[chosen, None] - shared[chosen, None], prompts[chosen, None]) + offsets
        index = places[at * inside] * inside
        held = inside & behind
        inverse[index[held]] = filled + held.flatten().nonzero().squeeze(-1)
        batches.append(index)
        filled += index.numel()
    return Documents(tuple(batches), inverse)


def attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, *,
    documents: Documents, sliding_window: int | None = None, **settings: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Queries [R, H, L, D], keys and values [R, G, L, D] -> [R, L, H, D], as transformers' own functions."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    shape, heads = query.transpose(1, 2).shape, [t.transpose(1, 2).flatten(0, 1) for t in (query, key, value)]
    found = []
    for index in documents.batches:
        q, k, v = (flat.index_select(0, index.flatten()).unflatten(0, index.shape).transpose(1, 2) for flat in heads)
        mask = _window_mask(index.shape[1], sliding_window, index.device)
        if mask is None and not settings.get("dropout") and pays(q):
            attended = short_attention(q, k, v, settings.get("scaling")).transpose(1, 2)
        else:
            attended, _ = sdpa_attention_forward(module, q, k, v, mask, is_causal=mask is None, **_known(settings))
        found.append(attended.flatten(0, 1))
    return torch.cat(found).index_select(0, documents.inverse).view(shape), None


def _window_mask(width: int, window: int | None, device: torch.device) -> Tensor | None:
    """True where attention goes, [1, 1, M, M]; None when plain causality says it all."""
    if window is None or width <= window:
        return None
    distance = torch.arange(width, device=device)[:, None] - torch.arange(width, device=device)
    return ((distance >= 0) & (distance < window))[None, None]


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("dropout", "scaling") if name in settings}
