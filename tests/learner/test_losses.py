"""Losses against hand calculations: logarithms of simple fractions, formulas written out again."""

import math
from types import SimpleNamespace

import pytest
import torch

from dragoman.learner.losses import (
    Clipped,
    Correction,
    CrossEntropy,
    Gspo,
    GspoToken,
    KlPenalty,
    LanguageAware,
    PolicyGradient,
    Preference,
    Reinforce,
    ValueLoss,
)
from dragoman.learner.losses.base import TokenMean

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
    loss = Preference(0.5, weighted=weighted, **settings)
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


def by_document(owners, values, mask):
    """Plain loop: for each document the values of its masked tokens."""
    return [
        [v for o, v, m in zip(owners, values, mask, strict=True) if o == wanted and m]
        for wanted in range(max(owners) + 1)
    ]


OWNERS = [0, 0, 0, 1, 1, 1, 1, -1]
MASK = [0, 1, 1, 0, 1, 1, 1, 0]


def two_answers(loss, **changes):
    """A loss on two answers of 2 and 3 tokens, under fixed log-probs; channels, log-probs, gradient, output."""
    channels = {
        "behaviour_logprobs": [0, -1.1, -0.7, 0, -2.0, -0.3, -1.4, 0],
        "proximal_logprobs": [0, -1.0, -0.9, 0, -1.7, -0.4, -1.2, 0],
        "reference_logprobs": [0, -0.8, -1.0, 0, -1.9, -0.2, -1.6, 0],
        "advantages": [0, 0.5, 0.5, 0, -1.5, -1.5, -1.5, 0], **changes,
    }  # fmt: skip
    s = stats([0, -0.9, -0.8, 0, -1.5, -0.6, -1.3, 0], entropy=0.4)
    given = {**batch(loss_mask=MASK, **channels), "sequence_ids": torch.tensor([OWNERS])}
    out = loss(s, given, {"tokens": 5.0, "answer_tokens": 5.0, "answers": 2.0})
    out.loss.backward()
    return channels, s.logprobs.detach()[0].tolist(), s.logprobs.grad[0].tolist(), out


def test_gspo_token_has_the_answers_ratio_in_value_and_each_tokens_own_gradient():
    advantages = [0, 0.5, -0.25, 0, -1.5, 1.0, 2.0, 0]
    loss = PolicyGradient(GspoToken(0.5, 0.5), "answers")
    channels, now, gradient, out = two_answers(loss, advantages=advantages)
    ratios = [n - b for n, b in zip(now, channels["behaviour_logprobs"], strict=True)]
    means = [math.exp(sum(part) / len(part)) for part in by_document(OWNERS, ratios, MASK)]
    expected, lengths = 0.0, [2, 3]
    for place, owner in enumerate(OWNERS):
        weight = means[owner] * advantages[place] / lengths[owner] / 2 if MASK[place] else 0.0
        expected -= weight
        assert gradient[place] == pytest.approx(-weight, abs=1e-6)
    assert out.loss.item() == pytest.approx(expected, abs=1e-6)


def test_gspo_token_equals_gspo_where_an_answers_tokens_have_one_advantage():
    token, whole = (two_answers(PolicyGradient(kind(0.05, 0.05), "answers")) for kind in (GspoToken, Gspo))
    assert token[2] == pytest.approx(whole[2], abs=1e-6) and token[3].loss.item() == pytest.approx(whole[3].loss.item())
    assert any(whole[2])


def test_reinforce_has_no_ratio():
    channels, now, gradient, out = two_answers(PolicyGradient(Reinforce()))
    assert out.loss.item() == pytest.approx(-sum(a * n for a, n in zip(channels["advantages"], now, strict=True)) / 5)
    assert gradient == pytest.approx([-a / 5 for a in channels["advantages"]], abs=1e-6)


@pytest.mark.parametrize("level", ["sequence", "geometric"])
@pytest.mark.parametrize("kind", ["truncate", "mask"])
def test_corrections_of_whole_answers_by_a_loop(level, kind):
    correction = Correction(kind, level, cap=1.1, floor=0.9 if kind == "mask" else None)
    channels, _, gradient, out = two_answers(PolicyGradient(Reinforce(), correction=correction))
    pairs = zip(channels["proximal_logprobs"], channels["behaviour_logprobs"], strict=True)
    parts = by_document(OWNERS, [p - b for p, b in pairs], MASK)  # sums -0.1 and 0.4
    ratios = [math.exp(sum(part) / (len(part) if level == "geometric" else 1)) for part in parts]
    weights = [min(r, 1.1) if kind == "truncate" else r * (0.9 <= r <= 1.1) for r in ratios]
    assert weights != ratios and any(weights)
    expected = [-a * (weights[o] if m else 0) / 5 for a, o, m in zip(channels["advantages"], OWNERS, MASK, strict=True)]
    assert gradient == pytest.approx(expected, abs=1e-6)
    mean = sum(weights[o] for o, m in zip(OWNERS, MASK, strict=True) if m) / 5
    assert out.sums["importance_weight"].item() == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize(
    ("estimator", "value", "slope"),
    [("k1", lambda d: -d, lambda d: 1.0), ("k2", lambda d: d * d / 2, lambda d: -d),
     ("k3", lambda d: math.exp(d) - 1 - d, lambda d: 1 - math.exp(d))],
)  # fmt: skip
@pytest.mark.parametrize("weighted", [False, True])
def test_kl_estimators_and_their_gradients(estimator, value, slope, weighted):
    loss = PolicyGradient(Reinforce(), "answers", kl=KlPenalty(0.3, estimator, weighted))
    channels, now, gradient, out = two_answers(loss, advantages=[0.0] * 8)
    expected, total = [], 0.0
    for place, owner in enumerate(OWNERS):
        share = MASK[place] / [2, 3][owner] / 2
        difference = channels["reference_logprobs"][place] - now[place]
        ratio = math.exp(now[place] - channels["behaviour_logprobs"][place]) if weighted else 1.0
        total += share * value(difference) * ratio
        expected.append(0.3 * share * ratio * (slope(difference) + (value(difference) if weighted else 0.0)))
    assert out.loss.item() == pytest.approx(0.3 * total, abs=1e-6)
    assert out.sums["kl_reference"].item() == pytest.approx(total, abs=1e-6)
    assert gradient == pytest.approx(expected, abs=1e-6)


def test_a_penalty_that_rewards_carry_is_reported_and_not_paid_twice():
    _, _, gradient, out = two_answers(PolicyGradient(kl=KlPenalty(0.0, "k1")), advantages=[0.0] * 8)
    assert not any(gradient) and out.loss.item() == 0 and abs(out.sums["kl_reference"].item()) > 0.01


def test_value_loss_is_half_the_larger_of_two_squares():
    given = batch(values=[0, 0.1, 0.1, 0, -0.3, 0.2, 0.1, 0], returns=[0, 1.0, 0.3, 0, -0.5, 0.0, 0.4, 0])
    mean = TokenMean(torch.tensor([MASK]), 5.0)

    def computed(loss):
        values = torch.tensor([[0.0, 0.5, 0.2, 0.0, -0.4, 0.9, 0.1, 7.0]], requires_grad=True)
        found, sums = loss(SimpleNamespace(values=values), given, mean)
        found.backward()
        return found.item(), sums, values.grad[0].tolist()

    loss, sums, gradient = computed(ValueLoss(0.5, clip=0.2))
    # clipped: 0.3 (of 0.5), 0.2, -0.4, 0.4 (of 0.9), 0.1; the larger square: 0.49, 0.01, 0.01, 0.81, 0.09
    assert loss == pytest.approx(0.5 * 1.41 / 2 / 5)
    assert sums["value_loss"].item() == pytest.approx(1.41 / 10)
    assert sums["value_clip_fraction"].item() == pytest.approx(1 / 5)
    # none where the clipped one is the larger; at a tie, where they are the same, the whole
    assert gradient == pytest.approx([0, 0, -0.01, 0, 0.01, 0.09, -0.03, 0], abs=1e-6)
    _, _, unclipped = computed(ValueLoss(1.0, None))
    assert unclipped == pytest.approx([0, -0.1, -0.02, 0, 0.02, 0.18, -0.06, 0], abs=1e-6)


def test_without_a_correction_the_ratio_is_against_the_policy_that_sampled():
    channels, now, gradient, _ = two_answers(PolicyGradient(Clipped(0.9, 9.0)))
    rows = zip(channels["advantages"], now, channels["behaviour_logprobs"], strict=True)
    assert gradient == pytest.approx([-a * math.exp(n - b) / 5 for a, n, b in rows], abs=1e-6)
    corrected = two_answers(PolicyGradient(Clipped(0.9, 9.0), correction=Correction("truncate", cap=100.0)))
    assert corrected[2] == pytest.approx(gradient, abs=1e-6)  # pi / pi_prox times pi_prox / pi_behaviour


def test_a_weighted_penalty_is_weighted_by_what_the_correction_lets_through():
    correction = Correction("truncate", cap=1.02)
    loss = PolicyGradient(Reinforce(), correction=correction, kl=KlPenalty(1.0, "k2", weighted=True))
    channels, now, _, out = two_answers(loss, advantages=[0.0] * 8)
    names = ("proximal_logprobs", "behaviour_logprobs", "reference_logprobs")
    expected = 0.0
    for n, p, b, r, m in zip(now, *(channels[name] for name in names), MASK, strict=True):
        expected += m * (r - n) ** 2 / 2 * math.exp(n - p) * min(math.exp(p - b), 1.02) / 5
    assert out.loss.item() == pytest.approx(expected, abs=1e-6)
