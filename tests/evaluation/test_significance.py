"""Paired tests against sacrebleu's own, corrections by hand, and a small null simulation."""

from random import Random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from dragoman.evaluation.chrf import corpus_scores
from dragoman.evaluation.corpus_metrics import find_metric
from dragoman.evaluation.significance import benjamini_hochberg, holm, paired_difference
from tests.evaluation.test_corpus_metrics import outcome

WORDS = "Der Zug fährt am Montag um acht Uhr von Gleis zwei ab und kommt gegen Mittag an der Küste an"
SENTENCE = WORDS.split()
TRIALS = 2_000


def texts(rows, losses, seed):
    random = Random(seed)
    references = [" ".join(random.sample(SENTENCE, random.randint(5, 14))) for _ in range(rows)]
    systems = [
        [" ".join(w if random.random() > loss else "xyz" for w in text.split()) for text in references]
        for loss in losses
    ]
    return references, *systems


@pytest.mark.parametrize("losses", [(0.2, 0.28), (0.2, 0.24), (0.2, 0.2)])
@pytest.mark.parametrize(("name", "metric"), [("chrf", CHRF), ("bleu", BLEU)])
def test_figures_and_p_values_are_sacrebleus_within_resampling_error(name, metric, losses):
    references, first, second = texts(60, losses, 5)
    own = find_metric(name)
    counts = [own.counts([outcome(n, a, r) for n, (a, r) in enumerate(zip(s, references, strict=True))])
              for s in (first, second)]  # fmt: skip
    found = paired_difference(*counts, own.score, trials=TRIALS)
    theirs = {}
    for kind in ("ar", "bs"):
        test = PairedTest([("a", first), ("b", second)], {name: metric()}, [references], kind, n_samples=TRIALS)
        _, scores = test()
        theirs[kind] = next(results for column, results in scores.items() if column != "System")
    assert [found.a, found.b] == pytest.approx([result.score for result in theirs["ar"]], abs=1e-3)
    for p, result in ((found.p_randomised, theirs["ar"][1]), (found.p_sacrebleu, theirs["bs"][1])):
        error = 5 * (2 * max(p * (1 - p), 0.001) / TRIALS) ** 0.5
        assert p == pytest.approx(result.p_value, abs=error)


def test_rows_of_one_cluster_are_one_piece_of_evidence():
    a, b = (np.asarray([[v, 1.0] for v in values]) for values in ([0, 1, 0, 1, 1, 0], [1, 1, 1, 1, 1, 0]))

    def mean(summed):
        return summed[:, 0] / summed[:, 1]

    alone = paired_difference(a, b, mean, trials=500)
    together = paired_difference(np.repeat(a, 30, 0), np.repeat(b, 30, 0), mean,
                                 clusters=[n // 30 for n in range(180)], trials=500)  # fmt: skip
    assert (together.rows, together.clusters) == (180, 6)
    assert together.p_randomised == alone.p_randomised and together.p_bootstrap == alone.p_bootstrap
    ignored = paired_difference(np.repeat(a, 30, 0), np.repeat(b, 30, 0), mean, trials=500)
    assert ignored.p_randomised < 0.01 < alone.p_randomised
    with pytest.raises(ValueError, match="6 of one system, 5"):
        paired_difference(a, b[:5], mean)


def test_approximate_randomisation_is_the_exact_test_where_that_can_be_counted():
    a, b = np.asarray([[0.0, 1.0]] * 5), np.asarray([[1.0, 1.0]] * 5)
    found = paired_difference(a, b, lambda s: s[:, 0] / s[:, 1], trials=20_000)
    assert found.p_randomised == pytest.approx(2 / 2**5, abs=0.006)  # all five swapped, or none
    assert paired_difference(a, a, lambda s: s[:, 0] / s[:, 1], trials=200).p_randomised == 1.0


def test_corrections_by_hand():
    # Holm: 4 x .005, 3 x .01, then 2 x .03 and 1 x .04, which must not fall below the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0] and holm([]) == []
    # Benjamini-Hochberg: 4/1 x .005, 4/2 x .01, 4/3 x .03, 4/4 x .04, from the largest down
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_equal_systems_are_called_different_one_time_in_twenty():
    # bench/significance.py counts 2,000 simulations; 400 of them have a standard error of 1.1 points
    below = 0
    for number in range(400):
        generator = np.random.default_rng([9, number])
        shared = generator.normal(0.6, 0.2, 60)
        a, b = (np.stack([shared + generator.normal(0, 0.2, 60), np.ones(60)], 1) for _ in range(2))
        below += paired_difference(a, b, lambda s: s[:, 0] / s[:, 1], trials=300).p_randomised < 0.05
    assert 0.02 <= below / 400 <= 0.085


def test_chrf_counts_have_one_formula():
    counts = find_metric("chrf").counts([outcome(0, "Das Buch", "Das Boot"), outcome(1, "ab", "abc")])
    assert find_metric("chrf").score(counts) == pytest.approx(corpus_scores(counts))
