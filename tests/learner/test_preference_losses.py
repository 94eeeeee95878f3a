"""Preference losses against the published formulas by hand, and against TRL's own code on random answers."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pretrain_sft.preference.source import preference_loss
from pretrain_sft.settings import PreferenceSettings
from tests.learner.test_losses import preference_batch, stats

PAIR = {"chosen": [-0.5, -1.5], "rejected": [-2.0], "chosen_ref": [-1.0, -2.0], "rejected_ref": [-1.5]}


def published(name, beta, gamma=0.5, smooth=0.0):
    """TRL 1.16's formulas of one pair, written out with plain numbers; cross-entropy over the answer's tokens."""
    c, r = sum(PAIR["chosen"]), sum(PAIR["rejected"])
    c_ref, r_ref = sum(PAIR["chosen_ref"]), sum(PAIR["rejected_ref"])
    c_mean, r_mean = c / 2, r / 1
    nll = -c / 2

    def log_sigmoid(x):
        return -math.log(1 + math.exp(-x))

    def smoothed(x):
        return -log_sigmoid(x) * (1 - smooth) - log_sigmoid(-x) * smooth

    if name == "dpo":
        return smoothed(beta * ((c - c_ref) - (r - r_ref)))
    if name == "ipo":
        return (((c - c_ref) / 2 - (r - r_ref)) - 1 / (2 * beta)) ** 2
    if name == "cpo":
        return smoothed(beta * (c - r)) + nll
    if name == "simpo":
        return smoothed(beta * ((c_mean - r_mean) - gamma / beta))
    odds = (c_mean - r_mean) - (math.log(1 - math.exp(c_mean)) - math.log(1 - math.exp(r_mean)))
    return nll + beta * smoothed(odds)


@pytest.mark.parametrize("smooth", [0.0, 0.2])
@pytest.mark.parametrize("name", ["dpo", "ipo", "cpo", "simpo", "orpo"])
def test_preference_losses_are_the_published_ones(name, smooth):
    settings = PreferenceSettings(loss=name, beta=0.7, simpo_margin=0.5, label_smoothing=smooth)
    loss = preference_loss(settings)
    channels = preference_batch()
    if not loss.reference:
        del channels["reference_logprobs"]  # it must not be asked for
    out = loss(stats([0, -0.5, -1.5, 0, -2.0, 0]), channels, {"pairs": 1, "chosen_tokens": 2})
    assert out.loss.item() == pytest.approx(published(name, 0.7, smooth=smooth), rel=1e-6)


def test_the_cross_entropy_beside_a_preference_loss_can_be_set():
    for name, default in (("cpo", 1.0), ("orpo", 1.0), ("simpo", 0.0), ("wpo", 0.0)):
        assert preference_loss(PreferenceSettings(loss=name)).likelihood_weight == default
        assert preference_loss(PreferenceSettings(loss=name, likelihood_weight=0.3)).likelihood_weight == 0.3


def random_pairs(count, seed=0):
    """Log-probs of `count` pairs as one row, and for each answer its sums and means, with and without a reference."""
    rng = np.random.default_rng(seed)
    values, reference, owners, told = [], [], [], []
    for document in range(2 * count):
        n = int(rng.integers(1, 9))
        logprobs, ref = -rng.gamma(1.0, 1.0, n), -rng.gamma(1.0, 1.0, n)
        values += [0.0, *logprobs]
        reference += [0.0, *ref]
        owners += [document] * (n + 1)
        told.append((logprobs.sum(), logprobs.mean(), (logprobs - ref).sum(), (logprobs - ref).mean(), n))
    mask = [float(i > 0 and owners[i] == owners[i - 1]) for i in range(len(owners))]
    batch = {
        "loss_mask": torch.tensor([mask]), "reference_logprobs": torch.tensor([reference], dtype=torch.float32),
        "sequence_ids": torch.tensor([owners]),
    }  # fmt: skip
    return values, batch, torch.tensor(told, dtype=torch.float64)


def trl_loss(name, told, beta, smooth):
    """TRL's loss of each pair; cross-entropy of the chosen answers over their tokens."""
    from trl.experimental.cpo.cpo_trainer import CPOTrainer
    from trl.experimental.orpo.orpo_trainer import ORPOTrainer

    accelerator = SimpleNamespace(device="cpu")
    chosen, rejected = told[0::2], told[1::2]
    nll = -chosen[:, 0].sum() / chosen[:, 4].sum()
    if name == "orpo":
        losses = ORPOTrainer.odds_ratio_loss(
            SimpleNamespace(beta=beta, accelerator=accelerator), chosen[:, 1], rejected[:, 1]
        )
        return nll - losses[0].mean()
    column = {"dpo": 2, "ipo": 3, "cpo": 0, "simpo": 1}[name]
    kind = {"dpo": "sigmoid", "cpo": "sigmoid"}.get(name, name)
    trainer = SimpleNamespace(
        alpha=0.0, beta=beta, simpo_gamma=0.5, loss_type=kind, label_smoothing=smooth, accelerator=accelerator
    )
    losses = CPOTrainer.cpo_loss(trainer, chosen[:, column], rejected[:, column])[0].mean()
    return losses + nll if name == "cpo" else losses


@pytest.mark.parametrize("name", ["dpo", "ipo", "cpo", "simpo", "orpo"])
def test_preference_losses_are_trls_on_random_answers(name):
    for seed in range(5):
        values, channels, told = random_pairs(7, seed)
        smooth = 0.0 if name in ("ipo", "orpo") else 0.1
        settings = PreferenceSettings(loss=name, beta=0.3, simpo_margin=0.5, label_smoothing=smooth)
        counts = {"pairs": 7.0, "chosen_tokens": float(told[0::2, 4].sum())}
        out = preference_loss(settings)(stats(values), channels, counts)
        assert out.loss.item() == pytest.approx(float(trl_loss(name, told, 0.3, smooth)), rel=2e-6)
