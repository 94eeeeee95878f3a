"""Systems of several trainings: scipy's Welch test where rows do not matter, hand calculation where seeds do not."""

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind

from dragoman.evaluation.seeded import seeded_difference

ROWS = 300


def mean_score(summed):
    return summed[:, 0] / summed[:, 1]


def training(values):
    return np.stack([values, np.ones(len(values))], axis=1)


def test_where_all_rows_are_alike_it_is_welchs_test_of_the_seeds():
    a, b = [0.51, 0.47, 0.55], [0.60, 0.58, 0.66, 0.61]
    found = seeded_difference(
        [training(np.full(ROWS, v)) for v in a], [training(np.full(ROWS, v)) for v in b], mean_score, trials=300
    )
    welch = ttest_ind(b, a, equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert found.p == pytest.approx(welch.pvalue) and found.difference == pytest.approx(np.mean(b) - np.mean(a))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.rows, found.clusters) == (ROWS, ROWS)


def test_where_seeds_are_alike_it_is_the_rows_variance_and_the_normal_law():
    generator = np.random.default_rng(0)
    gains = generator.normal(0.02, 0.2, ROWS)
    base = generator.normal(0.5, 0.3, ROWS)
    found = seeded_difference([training(base)] * 3, [training(base + gains)] * 3, mean_score, trials=20_000)
    error = gains.std() / ROWS**0.5
    assert found.high - found.low == pytest.approx(2 * norm.ppf(0.975) * error, rel=0.02)
    assert found.p == pytest.approx(2 * norm.sf(abs(gains.mean()) / error), rel=0.1)


def test_what_seeds_do_differently_by_row_counts_once():
    """Independent rows in every training: the variance of the difference is 2 x 0.04 / (4 x 300)."""
    widths = []
    for number in range(30):
        generator = np.random.default_rng(number)
        systems = [[training(generator.normal(0.5, 0.2, ROWS)) for _ in range(4)] for _ in range(2)]
        found = seeded_difference(*systems, mean_score, trials=500)
        widths.append(((found.high - found.low) / 2) ** 2)
    # Student's quantile for some six degrees of freedom is 2.45, the normal one 1.96
    assert 1.96**2 * 0.8 < np.mean(widths) / (2 * 0.04 / (4 * ROWS)) < 2.6**2 * 1.2


def test_one_training_takes_the_others_spread():
    """By hand: s^2 of 0.4, 0.5, 0.6 is 0.01; V = 0.01 (1 + 1/3), two degrees of freedom, t 4.3027."""
    a, b = [training(np.full(ROWS, 0.8))], [training(np.full(ROWS, v)) for v in (0.4, 0.5, 0.6)]
    found = seeded_difference(a, b, mean_score, trials=100)
    half = 4.302653 * (0.01 * 4 / 3) ** 0.5
    assert (found.low, found.high) == pytest.approx((-0.3 - half, -0.3 + half), abs=1e-6)
    turned = seeded_difference(b, a, mean_score, trials=100)
    assert turned.p == found.p and turned.difference == -found.difference


def test_rows_of_a_cluster_are_drawn_together():
    generator = np.random.default_rng(1)
    gains = np.repeat(generator.normal(0, 0.2, ROWS // 4), 4)
    base = generator.normal(0.5, 0.3, ROWS)
    groups = [row // 4 for row in range(ROWS)]
    systems = [training(base)] * 2, [training(base + gains)] * 2
    alone = seeded_difference(*systems, mean_score, trials=4_000)
    together = seeded_difference(*systems, mean_score, clusters=groups, trials=4_000)
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(2, rel=0.06)
    assert (together.rows, together.clusters) == (ROWS, ROWS // 4)


def test_what_cannot_be_tested_is_refused_and_nothing_that_varies_has_a_p():
    same = [training(np.full(5, 0.5))] * 2
    assert seeded_difference(same, same, mean_score, trials=99).p == 1.0
    assert seeded_difference(same, [training(np.full(5, 0.6))] * 2, mean_score, trials=99).p == 0.01
    with pytest.raises(ValueError, match="says nothing about seeds"):
        seeded_difference(same[:1], same[:1], mean_score)
    with pytest.raises(ValueError, match="needs the same rows"):
        seeded_difference(same, [training(np.full(4, 0.5))] * 2, mean_score)
