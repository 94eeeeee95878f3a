"""Paired tests of corpus metrics, and corrections for many tests. Pure functions over counts.

    counts of two systems (rows, k), formula, clusters -> PairedDifference -> holm / benjamini_hochberg

- **Bootstrap** (Koehn 2004): clusters of rows drawn with replacement, both systems keeping their rows. The interval is
  the 95 % percentile interval of the difference, p twice the smaller tail of the resampled differences.
- **Approximate randomisation** (Riezler and Maxwell 2005): under the null hypothesis the two systems' answers to a row
  are exchangeable, so each cluster's pair is swapped or not; p is the share of swaps whose difference is at least as
  large in size as the one observed.

Both count the observed sample once, so no p is 0. Their p hold: with no true difference they fall below 0.05 in about
5 % of cases (bench/significance.py). `p_sacrebleu` is the p that sacrebleu's bootstrap prints, for comparison with
published figures: it centres the absolute differences, which makes it nearly one-sided, and under the null it falls
below 0.05 more than twice as often (12 % in the same simulation).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

Counts = NDArray[np.float64]
Formula = Callable[[Counts], NDArray[np.float64]]
"""(corpora, k) summed counts -> (corpora,) figures"""
TRIALS = 2_000
CHUNK = 256
"""Resamples worked on at a time"""


@dataclass(frozen=True)
class PairedDifference:
    """System b against system a on the same rows."""

    a: float
    b: float
    difference: float
    """b - a"""
    low: float
    high: float
    """95 % interval of the difference"""
    p_bootstrap: float
    p_randomised: float
    p_sacrebleu: float
    rows: int
    clusters: int


def paired_difference(
    a: Counts,
    b: Counts,
    formula: Formula,
    *,
    clusters: Sequence[Hashable] | None = None,
    trials: int = TRIALS,
    seed: int = 0,
) -> PairedDifference:
    """Both tests of two systems' counts over the same rows; ValueError for unequal rows or none."""
    if len(a) != len(b) or not len(a):
        raise ValueError(f"a paired test needs the same rows: {len(a)} of one system, {len(b)} of the other")
    first, second = (by_cluster(counts, clusters) for counts in (a, b))
    scores = [float(formula(counts.sum(axis=0, keepdims=True))[0]) for counts in (first, second)]
    observed = scores[1] - scores[0]
    drawn = bootstrap_differences(first, second, formula, trials, seed)
    swapped = swapped_differences(first, second, formula, trials, seed)
    low, high = (float(value) for value in np.percentile(drawn, [2.5, 97.5]))
    size = np.abs(drawn)
    return PairedDifference(
        a=scores[0],
        b=scores[1],
        difference=observed,
        low=low,
        high=high,
        p_bootstrap=min(1.0, 2 * min(_share(drawn <= 0), _share(drawn >= 0))),
        p_randomised=_share(np.abs(swapped) >= abs(observed) - 1e-9),
        p_sacrebleu=_share(size - size.mean() > abs(observed)),
        rows=len(a),
        clusters=len(first),
    )


def bootstrap_differences(a: Counts, b: Counts, formula: Formula, trials: int, seed: int) -> NDArray[np.float64]:
    """b - a in each of `trials` resamples of the clusters."""
    generator, n = np.random.default_rng([seed, 1]), len(a)
    found = []
    for start in range(0, trials, CHUNK):
        drawn = generator.integers(0, n, size=(min(CHUNK, trials - start), n))
        times = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(np.float64)
        found.append(formula(times @ b) - formula(times @ a))
    return np.concatenate(found)


def swapped_differences(a: Counts, b: Counts, formula: Formula, trials: int, seed: int) -> NDArray[np.float64]:
    """b - a after each cluster's pair was swapped or not, `trials` times."""
    generator, total = np.random.default_rng([seed, 2]), a.sum(axis=0) + b.sum(axis=0)
    found = []
    for start in range(0, trials, CHUNK):
        swap = generator.integers(0, 2, size=(min(CHUNK, trials - start), len(a))).astype(np.float64)
        one = swap @ a + (1 - swap) @ b
        found.append(formula(one) - formula(total - one))
    return np.concatenate(found)


def holm(ps: Sequence[float]) -> list[float]:
    """p-values corrected so that one false alarm among all of them is as rare as one p says (Holm 1979)."""
    order = sorted(range(len(ps)), key=ps.__getitem__)
    found, least = [0.0] * len(ps), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        found[place] = least
    return found


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """p-values corrected for the expected share of false alarms among those below a limit (1995)."""
    return [float(p) for p in false_discovery_control(list(ps))] if ps else []


def by_cluster(counts: Counts, clusters: Sequence[Hashable] | None) -> Counts:
    """Counts of rows that belong together, summed: the unit that is drawn or swapped."""
    if clusters is None:
        return counts
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    summed = np.zeros((len(numbers), counts.shape[1]))
    np.add.at(summed, [numbers[cluster] for cluster in clusters], counts)
    return summed


def _share(events: NDArray[np.bool_]) -> float:
    """How often something happened, the observed sample counted as one time more."""
    return float(np.sum(events) + 1) / (len(events) + 1)
