"""The gradient of a batch does not depend on how it was cut: micro-batches, packing, ranks."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from tiny import random_sequences, tiny_model

from dragoman.learner.forward import to_tensors, token_statistics
from dragoman.learner.losses import (
    Cispo,
    Clipped,
    Correction,
    CrossEntropy,
    Gspo,
    GspoToken,
    KlPenalty,
    Kto,
    LanguageAware,
    PolicyGradient,
    Preference,
    Reinforce,
    ValueLoss,
)
from dragoman.learner.packing import pack
from dragoman.learner.value_head import add_value_head
from pretrain_sft.preference.kto import grouped
from pretrain_sft.preference.source import preference_loss
from pretrain_sft.settings import PreferenceSettings

CPU = torch.device("cpu")
LENGTHS = [11, 40, 23, 9, 31, 17, 26, 14]


POLICY_LOSSES = {
    "clipped": PolicyGradient(correction=Correction("truncate")),
    "dual clip, mean over answers": PolicyGradient(Clipped(dual_clip=1.4), "answers", Correction("mask")),
    "gspo": PolicyGradient(Gspo(0.1, 0.1), "answers", Correction("mask", "sequence", 3.0, 0.0)),
    "gspo_token": PolicyGradient(GspoToken(0.1, 0.1), "answers", Correction("truncate", "geometric", 1.05)),
    "cispo, entropy": PolicyGradient(Cispo(0.3), entropy_coefficient=0.3),
    "reinforce, kl": PolicyGradient(Reinforce(), kl=KlPenalty(0.5, "k2", weighted=True)),
    "value head": PolicyGradient(value=ValueLoss(0.5, 0.2)),
}


def near(rng, n):
    return -3 + 0.3 * rng.standard_normal(n)


def case(name):
    """Sequences, how many of them belong together, and the loss."""
    if name == "cross_entropy":
        return random_sequences(LENGTHS), 1, CrossEntropy()
    if name == "language_aware":
        items = random_sequences(LENGTHS, unlikelihood=lambda rng, n: np.full(n, float(rng.random() < 0.5)))
        return items, 1, LanguageAware(0.7)
    if name == "preference":
        loss = Preference(0.3, weighted=True, likelihood_weight=0.2)
        return random_sequences(LENGTHS, reference_logprobs=near), 2, loss
    if name in ("ipo", "orpo", "simpo"):
        loss = preference_loss(PreferenceSettings(loss=name, beta=0.7, label_smoothing=0.1))
        return random_sequences(LENGTHS, reference_logprobs=near), 2, loss
    if name == "kto":  # groups of two pairs with their mismatched answers
        items = random_sequences([14] * 16, reference_logprobs=lambda rng, n: near(rng, n) - 2)
        units = [tuple(items[i : i + 4]) for i in range(0, len(items), 4)]
        return [s for group in grouped(units, 2) for s in group], 8, Kto(0.05, 1.2, 0.8)
    channels = {channel: near for channel in ("behaviour_logprobs", "proximal_logprobs", "reference_logprobs")}
    channels |= {channel: lambda rng, n: rng.standard_normal(n) for channel in ("advantages", "values", "returns")}
    return random_sequences(LENGTHS, **channels), 1, POLICY_LOSSES[name]


def counts_of(items):
    masks = [s.channels["loss_mask"].sum() for s in items]
    wrong = [s.channels.get("unlikelihood", np.zeros(1)).sum() for s in items]
    return {
        "tokens": float(sum(masks)), "unlikelihood_tokens": float(sum(wrong)), "pairs": len(items) / 2,
        "chosen_tokens": float(sum(masks[0::2])), "answers": float(len(items)),
    }  # fmt: skip


def gradient(items, width, loss, *, ranks, row_tokens, rows):
    """Sum of the gradients of all micro-batches of all ranks, flattened."""
    model = tiny_model()
    if getattr(loss, "value", None):
        add_value_head(model)
        torch.nn.init.constant_(model.value_head.weight, 0.1)
    units = [tuple(items[i : i + width]) for i in range(0, len(items), width)]
    total = 0.0
    for rank in pack(units, ranks=ranks, row_tokens=row_tokens, rows_per_micro_batch=rows):
        for b in rank:
            tensors = to_tensors(b, CPU)
            asked = {"entropy_gradient": getattr(loss, "entropy_gradient", False)}
            out = loss(token_statistics(model, tensors, **asked), tensors, counts_of(items))
            out.loss.backward()
            total += out.loss.item()
    return total, torch.cat([p.grad.reshape(-1) for p in model.parameters()])


NAMES = ("cross_entropy", "language_aware", "preference", "ipo", "simpo", "orpo", "kto", *POLICY_LOSSES)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_does_not_depend_on_the_cut(name):
    items, width, chosen = case(name)
    loss, whole = gradient(items, width, chosen, ranks=1, row_tokens=200, rows=8)
    assert whole.abs().max() > 1e-3
    for ranks, row_tokens, rows in [(1, 80, 1), (2, 100, 1), (3, 64, 2), (1, 90, 3)]:
        other_loss, other = gradient(items, width, chosen, ranks=ranks, row_tokens=row_tokens, rows=rows)
        assert other_loss == pytest.approx(loss, rel=1e-5)
        assert (other - whole).abs().max() <= 1e-5 * max(1.0, whole.abs().max())
