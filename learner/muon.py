"""Muon for the hidden matrices, AdamW for everything else, as one optimiser.

Muon (Keller Jordan 2024, kellerjordan.github.io/posts/muon) replaces the momentum G = U S V^T of a matrix by about
U V^T, found by five Newton-Schulz steps, so that every direction of the matrix learns at the same speed. The update is
scaled to the size of AdamW's (0.2 * sqrt(max(rows, columns)), Moonlight, arXiv 2502.16982), so both share one
learning rate. Embeddings, the output head, norms and biases stay with AdamW, as its authors say.

torch.optim.Muon computes in bfloat16, which most CPUs emulate slowly and which rounds; this one computes in the
parameters' own type, all matrices of one shape together. The orthogonalisation is what costs: it is dealt over the
ranks and the updates are added up. Momentum is kept by every rank, because a checkpoint holds that of the first.

Whole matrices are needed, so this is for ZeRO stage 0 in float32; higher stages and bfloat16 flatten the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration X <- a X + b (X X^T) X + c (X X^T)^2 X; they take singular values to about 0.7 to 1.2."""
STEPS = 5
MOMENTUM = 0.95


def orthogonalised(matrices: Tensor) -> Tensor:
    """For each G = U S V^T of [N, rows, columns] about U V^T; the same shape and type."""
    a, b, c = COEFFICIENTS
    wide = matrices.mT if matrices.size(-2) > matrices.size(-1) else matrices
    x = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if matrices.size(-2) > matrices.size(-1) else x


def hidden_matrices(model: torch.nn.Module) -> set[Tensor]:
    """Weights of the linear layers between input embeddings and output head."""
    ends = {m.weight for m in (model.get_input_embeddings(), model.get_output_embeddings()) if m is not None}  # type: ignore[operator]
    layers = (module for module in model.modules() if isinstance(module, torch.nn.Linear))
    return {layer.weight for layer in layers if layer.weight.requires_grad} - ends


class MuonAdamW(torch.optim.AdamW):
    """AdamW whose parameter groups with `muon: True` take Muon's step instead."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of all groups; gradients must be the same on every rank."""
        groups = self.param_groups
        self.param_groups = [group for group in groups if not group.get("muon")]
        try:
            super().step(closure)
        finally:
            self.param_groups = groups
        for group in groups:
            if group.get("muon"):
                self._muon_step(group)

    def _muon_step(self, group: dict[str, Any]) -> None:
        parameters = [p for p in group["params"] if p.grad is not None]
        directions = [self._direction(p) for p in parameters]
        for parameter, update in zip(parameters, shared_updates(directions), strict=True):
            scale = 0.2 * max(parameter.shape) ** 0.5
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-group["lr"] * scale)

    def _direction(self, parameter: Tensor) -> Tensor:
        """Nesterov's look-ahead: the gradient mixed with its running mean."""
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        state["momentum_buffer"].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(state["momentum_buffer"], MOMENTUM)


def shared_updates(directions: Sequence[Tensor]) -> list[Tensor]:
    """Every direction orthogonalised, each by one rank, and then known to all."""
    ranks, rank = _ranks()
    result = torch.zeros(sum(d.numel() for d in directions), dtype=directions[0].dtype, device=directions[0].device)
    updates = [
        part.view_as(d) for part, d in zip(result.split([d.numel() for d in directions]), directions, strict=True)
    ]
    for indices in _by_shape(directions):
        mine = indices[rank::ranks]
        if mine:
            found = orthogonalised(torch.stack([directions[i] for i in mine]))
            for index, update in zip(mine, found, strict=True):
                updates[index].copy_(update)
    if ranks > 1:
        torch.distributed.all_reduce(result)
    return updates


def _by_shape(tensors: Sequence[Tensor]) -> Iterator[list[int]]:
    """Indices of tensors of one shape, shape after shape; the order of the shapes is that of their first tensor."""
    groups: dict[torch.Size, list[int]] = {}
    for index, tensor in enumerate(tensors):
        groups.setdefault(tensor.shape, []).append(index)
    yield from groups.values()


def _ranks() -> tuple[int, int]:
    """How many ranks there are, and which this is."""
    if not torch.distributed.is_initialized():
        return 1, 0
    return torch.distributed.get_world_size(), torch.distributed.get_rank()
