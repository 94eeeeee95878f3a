"""Losses: pure functions from token statistics to one scalar, in a registry by name.

Every loss is a *sum* over tokens or pairs divided by a count taken over the whole optimiser batch (all
micro-batches of all ranks), handed in as `counts`. So the gradient does not depend on how the batch was
cut, packed or dealt (tests/learner/test_invariance.py). Metrics are sums divided by the same counts:
adding them over micro-batches and ranks gives the batch's figure.

Sources: cross-entropy; unlikelihood Welleck et al. arXiv 1908.04319 as used for translation direction in
arXiv 2403.14399; DPO arXiv 2305.18290; WPO arXiv 2406.11827 with its sampled-alignment normaliser and its
clamp at 1; clipped policy gradient with token-level mean and clip-higher arXiv 2503.14476 (DAPO);
truncated or masked importance weights against the behaviour policy with a decoupled proximal policy,
arXiv 2505.24298 (AReaL); the k3 estimator of KL, joschu.net/blog/kl-approx.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from dragoman.learner.forward import TokenStatistics

Settings = Mapping[str, Any]
Counts = Mapping[str, float]
Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class LossOutput:
    """What a micro-batch adds to the batch's loss and metrics."""

    loss: Tensor
    sums: dict[str, Tensor] = field(default_factory=dict)
    """Already divided by counts; add them up."""
    maxima: dict[str, Tensor] = field(default_factory=dict)
    """Take the largest."""


Loss = Callable[[TokenStatistics, Batch, Counts, Settings], LossOutput]
LOSSES: dict[str, Loss] = {}


def register(name: str) -> Callable[[Loss], Loss]:
    """Decorator: make a loss selectable by name."""

    def add(function: Loss) -> Loss:
        LOSSES[name] = function
        return function

    return add


@register("cross_entropy")
def cross_entropy(stats: TokenStatistics, batch: Batch, counts: Counts, settings: Settings) -> LossOutput:
    """-sum(mask * log p) / counts["tokens"]."""
    loss = -(stats.logprobs * batch["loss_mask"]).sum() / counts["tokens"]
    return LossOutput(loss, {"loss": loss.detach()})


@register("language_aware")
def language_aware(stats: TokenStatistics, batch: Batch, counts: Counts, settings: Settings) -> LossOutput:
    """Cross-entropy under the right instruction + alpha * unlikelihood of the same answer under a wrong one.

    Channel `unlikelihood` is 1 on the answer tokens under the wrong direction. The unlikelihood term is
    -log(1 - p), with 1 - p kept above 1e-9. counts: `tokens`, `unlikelihood_tokens`.
    """
    wrong = batch["unlikelihood"]
    right = batch["loss_mask"] * (1 - wrong)
    likelihood = -(stats.logprobs * right).sum() / counts["tokens"]
    complement = (-torch.expm1(stats.logprobs)).clamp_min(1e-9)
    unlikelihood = -(complement.log() * wrong).sum() / max(1.0, counts["unlikelihood_tokens"])
    loss = likelihood + settings["alpha"] * unlikelihood
    return LossOutput(
        loss,
        {"loss": loss.detach(), "likelihood": likelihood.detach(), "unlikelihood": unlikelihood.detach()},
    )


@register("preference")
def preference(stats: TokenStatistics, batch: Batch, counts: Counts, settings: Settings) -> LossOutput:
    """DPO, or WPO with settings["weighted"]: documents 2k and 2k+1 are the chosen and rejected of pair k.

    L = -w logsigmoid(beta [(pi_c - ref_c) - (pi_r - ref_r)]), pi and ref being sums of log p over the
    answer; w = min(1, exp(mean_c + mean_r)) of log p - log sum_v p(v)^2, detached (WPO), or 1 (DPO).
    counts: `pairs`, `chosen_tokens` (for the optional likelihood term).
    """
    mask = batch["loss_mask"]
    ratio = _per_document(mask * (stats.logprobs - batch["reference_logprobs"]), batch)
    margin = settings["beta"] * (ratio[0::2] - ratio[1::2])
    if settings["weighted"]:
        with torch.no_grad():
            alignment = _per_document(mask * (stats.logprobs - stats.log_expected), batch)
            alignment = alignment / _per_document(mask, batch).clamp_min(1)
            weight = (alignment[0::2] + alignment[1::2]).exp().clamp_max(1)
    else:
        weight = torch.ones_like(margin)
    loss = -(weight * logsigmoid(margin)).sum() / counts["pairs"]
    sums = {
        "accuracy": (margin.detach() > 0).float().sum() / counts["pairs"],
        "margin": margin.detach().sum() / counts["pairs"],
        "weight": weight.sum() / counts["pairs"],
    }
    if settings.get("likelihood_weight"):
        chosen = (batch["sequence_ids"] % 2 == 0) & (batch["sequence_ids"] >= 0)
        nll = -(stats.logprobs * mask * chosen).sum() / counts["chosen_tokens"]
        loss = loss + settings["likelihood_weight"] * nll
        sums["chosen_loss"] = nll.detach()
    return LossOutput(loss, {"loss": loss.detach(), **sums})


@register("policy_gradient")
def policy_gradient(stats: TokenStatistics, batch: Batch, counts: Counts, settings: Settings) -> LossOutput:
    """Clipped policy gradient over tokens, with clip-higher and a correction for stale behaviour.

    ratio = pi / pi_prox, where pi_prox is the channel `proximal_logprobs` if given, else pi itself
    (detached) under a correction, else the behaviour policy. The correction weight is
    pi_prox / pi_behaviour, truncated at `importance_cap` or masked outside [1/cap, cap].
    counts: `tokens` (or any constant, as in Dr. GRPO), `answer_tokens` for the figures.
    """
    mask, advantages, behaviour = batch["loss_mask"], batch["advantages"], batch["behaviour_logprobs"]
    correction = settings.get("importance_correction", "none")
    proximal = batch.get("proximal_logprobs")
    if proximal is None:
        proximal = behaviour if correction == "none" else stats.logprobs.detach()
    ratio = ((stats.logprobs - proximal) * mask).exp()
    clipped = ratio.clamp(1 - settings["clip_low"], 1 + settings["clip_high"])
    objective = torch.minimum(ratio * advantages, clipped * advantages)
    weight = _importance((proximal - behaviour).detach() * mask, correction, settings)
    loss = -(objective * weight * mask).sum() / counts["tokens"]
    tokens = counts.get("answer_tokens", counts["tokens"])
    difference = (stats.logprobs.detach() - behaviour) * mask
    sums = {
        "entropy": (stats.entropy * mask).sum() / tokens,
        "clip_fraction": (((clipped != ratio) & (objective < ratio * advantages)) * mask).sum() / tokens,
        "kl_behaviour": ((difference.exp() - 1 - difference) * mask).sum() / tokens,
        "logprob_mean_abs_diff": difference.abs().sum() / tokens,
        "importance_weight": (weight * mask).sum() / tokens,
        "importance_weight_squared": (weight.square() * mask).sum() / tokens,
    }
    if settings.get("kl_coefficient"):
        to_reference = (batch["reference_logprobs"] - stats.logprobs) * mask
        kl = ((to_reference.exp() - 1 - to_reference) * mask).sum() / counts["tokens"]
        loss = loss + settings["kl_coefficient"] * kl
        sums["kl_reference"] = kl.detach()
    return LossOutput(loss, {"loss": loss.detach(), **sums}, {"logprob_max_abs_diff": difference.abs().max()})


def _importance(log_ratio: Tensor, correction: str, settings: Settings) -> Tensor:
    if correction == "none":
        return torch.ones_like(log_ratio)
    ratio, cap = log_ratio.exp(), settings["importance_cap"]
    if correction == "truncate":
        return ratio.clamp_max(cap)
    return ratio * ((ratio <= cap) & (ratio >= 1 / cap))


def _per_document(values: Tensor, batch: Batch) -> Tensor:
    """Sums of [R, L] values over each document, [S] in document order (padding left out)."""
    owners = batch["sequence_ids"].reshape(-1)
    count = int(owners.max()) + 1
    totals = torch.zeros(count + 1, dtype=values.dtype, device=values.device)
    return totals.index_add(0, torch.where(owners < 0, count, owners), values.reshape(-1))[:count]
