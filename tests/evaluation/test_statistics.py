"""Paired bootstrap against cases that can be worked out on paper, and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sacrebleu
import scipy.stats

from dragoman.evaluation.statistics import paired_bootstrap, paired_bootstrap_chrf


def test_two_pairs_have_the_four_resamples_of_the_textbook() -> None:
    """Differences +1 and -0.5: means 1 (1/4), 0.25 (1/2), -0.5 (1/4); so p(not above 0) is 1/4."""
    test = paired_bootstrap([0.0, 0.5], [1.0, 0.0], resamples=40_000)
    assert test.difference == pytest.approx(0.25)
    assert test.p_greater == pytest.approx(0.25, abs=0.01)
    assert test.p_two_sided == pytest.approx(0.5, abs=0.02)
    assert (test.low, test.high) == (-0.5, 1.0)


def test_a_gain_on_every_row_is_certain_and_its_interval_is_a_point() -> None:
    test = paired_bootstrap([0.1, 0.2, 0.3], [0.3, 0.4, 0.5], resamples=999)
    assert test.p_greater == pytest.approx(1 / 1000)
    assert test.p_two_sided == pytest.approx(2 / 1000)
    assert test.low == pytest.approx(0.2) and test.high == pytest.approx(0.2)


def test_no_difference_is_never_significant() -> None:
    test = paired_bootstrap([0.0, 1.0, 0.5], [0.0, 1.0, 0.5])
    assert test.difference == 0 and test.p_greater == 1 and test.p_two_sided == 1


def test_a_loss_is_seen_from_both_sides() -> None:
    test = paired_bootstrap([1.0] * 20, [0.0] * 10 + [1.0] * 10)
    assert test.difference == -0.5
    assert test.p_greater > 0.999 and test.p_two_sided < 0.001


def test_interval_and_p_agree_with_the_normal_approximation() -> None:
    """400 normal differences: the interval is mean ± 1.96 s/sqrt(n), and p that of the z-test."""
    before = np.zeros(400)
    after = np.random.default_rng(5).normal(0.08, 1.0, 400)
    test = paired_bootstrap(list(before), list(after), resamples=20_000)
    error = float(after.std() / math.sqrt(400))
    assert test.low == pytest.approx(after.mean() - 1.96 * error, abs=0.006)
    assert test.high == pytest.approx(after.mean() + 1.96 * error, abs=0.006)
    assert test.p_greater == pytest.approx(float(scipy.stats.norm.sf(after.mean() / error)), abs=0.01)


def test_copies_of_a_row_are_no_evidence() -> None:
    """Ten wordings of each of four questions: the four resampled, weighted by their rows."""
    gains = [0.3, -0.1, 0.2, 0.4]
    copies = [gain for gain in gains for _ in range(10)]
    clusters = [f"question {k}" for k in range(4) for _ in range(10)]
    zero = [0.0] * 40
    together = paired_bootstrap(zero, copies, clusters=clusters)
    four = paired_bootstrap([0.0] * 4, gains)
    assert (together.n, together.clusters) == (40, 4)
    assert together.p_greater == four.p_greater > 0.02
    assert (together.low, together.high) == pytest.approx((four.low, four.high))
    assert paired_bootstrap(zero, copies).p_greater < 0.001  # what ignoring it would claim


def test_clusters_of_unequal_size_weigh_by_their_rows() -> None:
    """Two clusters, gains 1 (one row) and 0 (three rows): means 1, 1/4, 0 in a quarter, half, a quarter."""
    test = paired_bootstrap([0.0] * 4, [1.0, 0.0, 0.0, 0.0], clusters=["a", "b", "b", "b"], resamples=40_000)
    assert test.difference == 0.25
    assert test.p_greater == pytest.approx(0.25, abs=0.01)
    assert (test.low, test.high) == (0.0, 1.0)


def test_the_seed_decides() -> None:
    values = [0.1, 0.9, 0.4, 0.6], [0.5, 0.8, 0.7, 0.3]
    assert paired_bootstrap(*values, seed=1) == paired_bootstrap(*values, seed=1)
    assert paired_bootstrap(*values, seed=1) != paired_bootstrap(*values, seed=2)


def test_pairs_are_required() -> None:
    with pytest.raises(ValueError, match="2 values before, 1 after"):
        paired_bootstrap([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no pairs"):
        paired_bootstrap([], [])


REFERENCES = [f"Der Kurs auf Deutsch beginnt im Monat Nummer {number}." for number in range(30)]
WORSE = [text[: len(text) // 2] for text in REFERENCES]


def test_chrf_bootstrap_reports_sacrebleus_scores() -> None:
    test = paired_bootstrap_chrf(WORSE, REFERENCES, REFERENCES, resamples=200)
    assert test.before == pytest.approx(sacrebleu.corpus_chrf(WORSE, [REFERENCES]).score)
    assert test.after == pytest.approx(100)
    assert test.p_greater < 0.01 and test.low > 0 and test.n == 30


def test_chrf_bootstrap_resamples_segments_as_a_loop_over_sacrebleu_does() -> None:
    """One resample of the seeded generator, redone with sacrebleu on the resampled texts themselves."""
    mixed = [REFERENCES[n] if n % 3 else WORSE[n] for n in range(30)]
    test = paired_bootstrap_chrf(WORSE, mixed, REFERENCES, resamples=1, seed=9)
    rows = np.random.default_rng(9).integers(0, 30, size=(1, 30))[0]
    picked = [REFERENCES[row] for row in rows]
    scores = [sacrebleu.corpus_chrf([side[row] for row in rows], [picked]).score for side in (WORSE, mixed)]
    assert test.low == pytest.approx(scores[1] - scores[0])
