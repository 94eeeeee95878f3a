"""Losses against hand calculations: logarithms of simple fractions, formulas written out again."""

import math
from types import SimpleNamespace

import pytest
import torch

from dragoman.learner.losses import (
    Correction,
    CrossEntropy,
    KlPenalty,
    LanguageAware,
    PolicyGradient,
    Preference,
)

LN = math.log


def stats(logprobs, entropy=0.0, log_expected=0.0):
    values = torch.tensor([logprobs], dtype=torch.float32, requires_grad=True)
    same = torch.ones_like(values.detach())
    return SimpleNamespace(logprobs=values, entropy=same * entropy, log_expected=torch.as_tensor(log_expected) * same)


def batch(**channels):
    return {name: torch.tensor([value], dtype=torch.float32) for name, value in channels.items()}


def test_cross_entropy_is_the_token_mean_over_the_whole_batch():
    out = CrossEntropy()(stats([LN(0.5), LN(0.25), LN(0.125)]), batch(loss_mask=[0, 1, 1]), {"tokens": 4})
    assert out.loss.item() == pytest.approx((LN(4) + LN(8)) / 4)


def test_language_aware_adds_alpha_times_unlikelihood():
    channels = batch(loss_mask=[1, 1, 1], unlikelihood=[0, 1, 1])
    out = LanguageAware(0.3)(stats([LN(0.5), LN(0.75), LN(0.2)]), channels, {"tokens": 1, "unlikelihood_tokens": 2})
    assert out.loss.item() == pytest.approx(LN(2) + 0.3 * (-LN(0.25) - LN(0.8)) / 2, rel=1e-5)


def test_unlikelihood_pushes_probability_down_and_is_finite_at_one():
    s = stats([LN(0.6), 0.0])
    channels = batch(loss_mask=[1, 1], unlikelihood=[1, 1])
    out = LanguageAware(1.0)(s, channels, {"tokens": 1, "unlikelihood_tokens": 2})
    out.loss.backward()
    assert math.isfinite(out.loss.item())
    assert s.logprobs.grad[0, 0] > 0  # descent lowers log p
    # d/dlogp of -log(1-p) is p/(1-p) = 1.5, halved by the count
    assert s.logprobs.grad[0, 0].item() == pytest.approx(0.75, rel=1e-4)


def test_alpha_zero_is_plain_likelihood():
    channels = batch(loss_mask=[1, 1], unlikelihood=[0, 1])
    counts = {"tokens": 1, "unlikelihood_tokens": 1}
    out = LanguageAware(0.0)(stats([LN(0.5), LN(0.9)]), channels, counts)
    assert out.loss.item() == pytest.approx(LN(2))


def preference_batch():
    # one pair: chosen = tokens 0..2, rejected = tokens 3..4; the last position is padding
    return {
        **batch(loss_mask=[0, 1, 1, 0, 1, 0], reference_logprobs=[0, -1.0, -2.0, 0, -1.5, 0]),
        "sequence_ids": torch.tensor([[0, 0, 0, 1, 1, -1]]),
    }


def preference(values, weighted, log_expected=0.0, **settings):
    loss = Preference(0.5, weighted, **settings)
    return loss(stats(values, log_expected=log_expected), preference_batch(), {"pairs": 2, "chosen_tokens": 4})


def test_dpo_of_one_pair_by_hand():
    out = preference([0, -0.5, -1.5, 0, -2.0, 0], weighted=False)
    margin = 0.5 * ((-0.5 + 1.0) + (-1.5 + 2.0) - (-2.0 + 1.5))  # 0.75
    assert out.loss.item() == pytest.approx(LN(1 + math.exp(-margin)) / 2, rel=1e-6)
    assert out.sums["accuracy"].item() == 0.5


def test_wpo_weight_is_the_length_normalised_alignment_clamped_at_one():
    plain = preference([0, -0.5, -1.5, 0, -2.0, 0], weighted=False).loss.item()
    low = preference([0, -0.5, -1.5, 0, -2.0, 0], weighted=True, log_expected=-0.25)
    # chosen: mean(-0.5 + .25, -1.5 + .25) = -0.75; rejected: -2 + .25 = -1.75
    assert low.loss.item() == pytest.approx(plain * math.exp(-2.5), rel=1e-5)
    high = preference([0, -0.5, -1.5, 0, -2.0, 0], weighted=True, log_expected=-5.0)
    assert high.loss.item() == pytest.approx(plain, rel=1e-6)


def test_likelihood_term_counts_chosen_tokens_only():
    base = preference([0, -0.5, -1.5, 0, -2.0, 0], weighted=False).loss.item()
    out = preference([0, -0.5, -1.5, 0, -2.0, 0], weighted=False, likelihood_weight=0.1)
    assert out.loss.item() == pytest.approx(base + 0.1 * (0.5 + 1.5) / 4, rel=1e-6)


def policy_gradient(values, behaviour, advantages, mask=None, tokens=None, channels=None, **settings):
    s = stats(values)
    given = batch(loss_mask=mask or [1] * len(values), behaviour_logprobs=behaviour, advantages=advantages)
    out = PolicyGradient(**settings)(s, {**given, **batch(**channels or {})}, {"tokens": tokens or len(values)})
    return s, out


def test_on_policy_gradient_is_advantage_over_tokens():
    s, out = policy_gradient([-1.0, -2.0], [-1.0, -2.0], [0.5, -1.5])
    out.loss.backward()
    assert out.loss.item() == pytest.approx(-(0.5 - 1.5) / 2)
    assert s.logprobs.grad[0].tolist() == pytest.approx([-0.25, 0.75])
    assert out.maxima["logprob_max_abs_diff"].item() == 0


def test_clip_higher_stops_the_gradient_above_one_plus_high_only():
    inside, outside = LN(1.27), LN(1.29)
    s, out = policy_gradient([inside, outside], [0.0, 0.0], [1.0, 1.0])
    out.loss.backward()
    assert s.logprobs.grad[0, 0].item() == pytest.approx(-1.27 / 2, rel=1e-5)
    assert s.logprobs.grad[0, 1].item() == 0
    assert out.loss.item() == pytest.approx(-(1.27 + 1.28) / 2, rel=1e-5)
    assert out.sums["clip_fraction"].item() == 0.5


def test_negative_advantage_is_clipped_below():
    s, out = policy_gradient([LN(0.7), LN(1.5)], [0.0, 0.0], [-1.0, -1.0])
    out.loss.backward()
    assert s.logprobs.grad[0, 0].item() == 0  # already lowered beyond 1 - low
    assert s.logprobs.grad[0, 1].item() == pytest.approx(1.5 / 2, rel=1e-5)  # not clipped: it must come down


def test_truncated_importance_weight_multiplies_a_decoupled_ratio():
    s, out = policy_gradient([LN(0.9), LN(0.3)], [LN(0.3), LN(0.3)], [1.0, 1.0], correction=Correction("truncate"))
    out.loss.backward()
    # pi/pi_prox = 1; weights min(3, 2) = 2 and 1
    assert out.loss.item() == pytest.approx(-(2 + 1) / 2, rel=1e-5)
    assert s.logprobs.grad[0].tolist() == pytest.approx([-1.0, -0.5], rel=1e-5)


def test_masked_importance_weight_drops_tokens_outside_the_band():
    _, out = policy_gradient(
        [LN(0.9), LN(0.3), LN(0.1)], [LN(0.3), LN(0.2), LN(0.3)], [1.0] * 3, correction=Correction("mask")
    )
    assert out.loss.item() == pytest.approx(-1.5 / 3, rel=1e-5)  # ratios 3 (out), 1.5 (in), 1/3 (out)


def test_proximal_policy_is_used_when_given():
    s, out = policy_gradient(
        [LN(0.4)], [LN(0.1)], [1.0], correction=Correction("truncate"),
        channels={"proximal_logprobs": [LN(0.4) - LN(1.1)]},
    )  # fmt: skip
    out.loss.backward()
    assert out.loss.item() == pytest.approx(-1.1 * 2.0, rel=1e-5)  # ratio 1.1, weight min(3.64, 2)
    assert s.logprobs.grad[0, 0].item() == pytest.approx(-2.2, rel=1e-5)


def test_kl_penalty_is_k3():
    _, plain = policy_gradient([LN(0.5)], [LN(0.5)], [0.0])
    _, out = policy_gradient(
        [LN(0.5)], [LN(0.5)], [0.0], kl=KlPenalty(0.1), channels={"reference_logprobs": [LN(0.25)]}
    )
    assert out.loss.item() - plain.loss.item() == pytest.approx(0.1 * (0.5 - 1 + LN(2)), rel=1e-5)


def test_masked_tokens_do_nothing():
    s, out = policy_gradient([-1.0, -9.0], [-1.0, -1.0], [1.0, 5.0], mask=[1, 0], tokens=1)
    out.loss.backward()
    assert s.logprobs.grad[0, 1].item() == 0
    assert out.loss.item() == pytest.approx(-1.0)
