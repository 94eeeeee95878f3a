"""Causal attention of short documents in bfloat16 on CPU, as products of whole matrices.

torch's fused attention never holds the scores, which pays for long texts. Its bfloat16 backward kernel on CPU takes
hardly less for documents of 16 tokens than for those of 256; when scores are held and multiplied as matrices the whole
takes an eighth (16 tokens) to nine tenths (256) of it (bench/short_attention.py). In float32 the two differ little.
Scores are computed in float32, as the fused kernel does; their softmax is kept for the backward pass in bfloat16:
`H x M` values a token for H heads and documents of M tokens.

Query heads that share a key head are rows of one product, so keys and values are never repeated.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

WIDEST = 256
"""Longest documents, in tokens, for which this is faster than torch's kernel"""


def pays(query: Tensor) -> bool:
    """Whether queries [S, H, M, D] are better multiplied here."""
    return query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.shape[2] <= WIDEST


def short_attention(query: Tensor, key: Tensor, value: Tensor, scaling: float | None = None) -> Tensor:
    """Queries [S, H, M, D], keys and values [S, G, M, D] with H a multiple of G -> [S, H, M, D], causal.

    `scaling`: of the scores, 1 / sqrt(D) if None.
    """
    (documents, heads, width, size), groups = query.shape, key.shape[1]
    together, shared = documents * groups, heads // groups
    rows = query.reshape(together, shared * width, size)
    columns, contents = (t.reshape(together, width, size) for t in (key, value))
    return _Products.apply(rows, columns, contents, scaling or size**-0.5).view(query.shape)


class _Products(torch.autograd.Function):
    """Queries [B, N, D] of N / M heads one after the other, keys and values [B, M, D] -> [B, N, D]."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        future = _future(query.shape[1], key.shape[1]).to(query.device).expand(len(query), -1, -1)
        scores = torch.baddbmm(future, query.float(), key.float().transpose(1, 2), alpha=scaling)
        weights = scores.softmax(-1).to(query.dtype)
        ctx.save_for_backward(query, key, value, weights)
        ctx.scaling = scaling
        return weights @ value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, value, weights = ctx.saved_tensors
        of_weights = gradients[0] @ value.transpose(1, 2)
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        return (
            (of_scores @ key).mul_(ctx.scaling),
            (of_scores.transpose(1, 2) @ query).mul_(ctx.scaling),
            weights.transpose(1, 2) @ gradients[0],
            None,
        )


@lru_cache(maxsize=32)
def _future(rows: int, width: int) -> Tensor:
    """What is added to scores [rows, width] of every layer: minus infinity where a key lies behind its query."""
    return torch.full((width, width), -torch.inf).triu(1).repeat(rows // width, 1)
