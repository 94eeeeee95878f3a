"""Attention over packed rows, document by document.

A mask that keeps the documents of a row apart makes attention compute the whole square of the row and throw most of it
away: with documents of 30 tokens in rows of 512, nineteen parts of twenty. Here each document attends on its own.
Documents of about one length (between two powers of two) form a batch, the shorter ones padded at their end, where
causal attention never looks; no mask is needed, so torch's fast causal kernels apply, on CPU and on GPU, or what is
faster for short documents on CPU (`dragoman.learner.short_attention`). A document that shares its prompt with another
(`dragoman.learner.packing`) gathers the prompt's keys, values and queries before its own; what the copies of the
queries find is dropped. All heads of all documents are gathered at once, each batch contiguous as attention wants
it, and what is found is put back at once; both ways, and their gradients, copy rows and add nothing.

transformers calls `attend` in place of its own attention in every layer of a model prepared by `use`, and hands it the
keyword arguments of the model's forward, `documents` among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
    padding: Tensor
    """int64: the positions in no document"""
    copies: Tensor
    """int64: the indices in all batches that are nobody's own, the copies of prompts and what lies behind an end"""
    sharing: bool
    """Whether some prompt lies in more than one document"""

    def of_heads(self, heads: int) -> "_Layout":
        """How so many heads of each position go to the batches and back; the same in all layers."""
        if heads not in self._layouts:
            self._layouts[heads] = _layout(self, heads)
        return self._layouts[heads]

    @cached_property
    def _layouts(self) -> dict[int, "_Layout"]:
        return {}


@dataclass(frozen=True)
class _Layout:
    """Where the rows of H heads [R * L * H, D] lie in the batches [S, H, M, D], flattened one after the other."""

    index: Tensor
    """Of each row of the batches its row in the heads"""
    inverse: Tensor
    """Of each row of the heads its own row in the batches"""
    padding: Tensor
    """Rows of the heads that are in no batch"""
    copies: Tensor
    """Rows of the batches that are nobody's own"""
    counts: tuple[int, ...]
    """Rows of each batch"""


def _layout(documents: Documents, heads: int) -> _Layout:
    every = torch.arange(heads, device=documents.inverse.device)
    filled, indices, places = 0, [], []
    for batch in documents.batches:
        indices.append((batch[:, None, :] * heads + every[:, None]).flatten())
        starts = torch.arange(len(batch), device=every.device)[:, None] * heads * batch.shape[1]
        within = torch.arange(batch.shape[1], device=every.device)
        places.append(((filled + starts + within)[..., None] + every * batch.shape[1]).flatten(0, 1))
        filled += batch.numel() * heads
    rows = torch.cat(places)  # [N, H] of each place in all batches
    return _Layout(
        torch.cat(indices), rows[documents.inverse].flatten(), (documents.padding[:, None] * heads + every).flatten(),
        rows[documents.copies].flatten(), tuple(batch.numel() * heads for batch in documents.batches),
    )  # fmt: skip


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
    inverse, batches, copies, filled = torch.zeros_like(flat), [], [], 0
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
        copies.append(filled + (~held).flatten().nonzero().squeeze(-1))
        batches.append(index)
        filled += index.numel()
    padded = torch.ones_like(flat, dtype=torch.bool).index_fill_(0, places, 0).nonzero().squeeze(-1)
    return Documents(tuple(batches), inverse, padded, torch.cat(copies), bool(shared.any()))


def attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, *,
    documents: Documents, sliding_window: int | None = None, **settings: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Queries [R, H, L, D], keys and values [R, G, L, D] -> [R, L, H, D], as transformers' own functions."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    shape, batches = query.transpose(1, 2).shape, [_gathered(documents, t) for t in (query, key, value)]
    found = []
    for q, k, v in zip(*batches, strict=True):
        mask = _window_mask(q.shape[2], sliding_window, q.device)
        if mask is None and not settings.get("dropout") and pays(q):
            attended = short_attention(q, k, v, settings.get("scaling"))
        else:
            attended = sdpa_attention_forward(module, q, k, v, mask, is_causal=mask is None, **_known(settings))[0]
            attended = attended.transpose(1, 2)
        found.append(attended.reshape(-1, shape[-1]))
    return _put_back(documents, torch.cat(found), shape[2]).view(shape), None


def _gathered(documents: Documents, heads: Tensor) -> list[Tensor]:
    """Heads [R, H, L, D] -> [S, H, M, D] of each batch."""
    flat, layout = heads.transpose(1, 2).flatten(0, 2), documents.of_heads(heads.shape[1])
    rows = _Moved.apply(flat, layout.index, layout.inverse, layout.padding, documents.sharing)
    return [
        part.view(len(batch), heads.shape[1], batch.shape[1], -1)
        for part, batch in zip(rows.split(layout.counts), documents.batches, strict=True)
    ]


def _put_back(documents: Documents, rows: Tensor, heads: int) -> Tensor:
    """Rows of all batches -> [R * L * H, D]."""
    layout = documents.of_heads(heads)
    moved: Tensor = _Moved.apply(rows, layout.inverse, layout.index, layout.copies, False)
    return moved


class _Moved(torch.autograd.Function):
    """Rows [N, D] -> rows [M, D], where row i is the former's `index[i]`.

    The gradient of a row is that of its own place, `inverse`, and 0 for `homeless` rows. Where they are `shared` it is
    the sum of all places.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, inverse: Tensor, homeless: Tensor, shared: bool) -> Tensor:
        ctx.save_for_backward(index, inverse, homeless)
        ctx.shared = shared
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        (gradient,), (index, inverse, homeless) = gradients, ctx.saved_tensors
        if ctx.shared:
            found = gradient.new_zeros(len(inverse), gradient.shape[1])
            found.scatter_add_(0, index[:, None].expand_as(gradient), gradient)
        else:
            found = gradient.index_select(0, inverse).index_fill_(0, homeless, 0)
        return found, None, None, None, None


def _window_mask(width: int, window: int | None, device: torch.device) -> Tensor | None:
    """True where attention goes, [1, 1, M, M]; None when plain causality says it all."""
    if window is None or width <= window:
        return None
    distance = torch.arange(width, device=device)[:, None] - torch.arange(width, device=device)
    return ((distance >= 0) & (distance < window))[None, None]


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("dropout", "scaling") if name in settings}
