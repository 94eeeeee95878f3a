"""Paired bootstrap: is one stage better than another on the same rows, beyond the choice of rows?

Rows are resampled with replacement, both systems keeping their pair (Efron & Tibshirani 1993; for corpus
metrics Koehn 2004). Rows that ask for the same thing in other words (a cluster) are right or wrong together: they are
resampled together, or many wordings of few questions would look like much evidence (Field & Welsh 2007). The
one-sided p is the share of resamples in which the difference is not above zero, the two-sided one twice the smaller
tail; both count the observed sample once, so neither is ever 0. The interval is the 95 % percentile interval of the
difference.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluation.chrf import corpus_scores, segment_counts

RESAMPLES = 10_000
CHUNK_CELLS = 4_000_000
"""Cells of an index matrix held at a time (32 MB)."""


@dataclass(frozen=True)
class PairedTest:
    """A paired comparison of `after` with `before`."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    """95 % interval of the difference."""
    p_greater: float
    """One-sided p of "after is greater than before"."""
    p_two_sided: float
    n: int
    """Pairs."""
    clusters: int
    """Of these, clusters: what the resampling draws from."""


def _resamples(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Index matrices of shape (rows, n) that add up to `resamples` rows."""
    generator = np.random.default_rng(seed)
    step = max(1, CHUNK_CELLS // n)
    for start in range(0, resamples, step):
        yield generator.integers(0, n, size=(min(step, resamples - start), n))


def _summary(before: float, after: float, differences: NDArray[np.float64], n: int, clusters: int) -> PairedTest:
    draws = len(differences)
    greater = float(np.sum(differences <= 0) + 1) / (draws + 1)
    less = float(np.sum(differences >= 0) + 1) / (draws + 1)
    low, high = (float(value) for value in np.percentile(differences, [2.5, 97.5]))
    two_sided = min(1.0, 2 * min(greater, less))
    return PairedTest(before, after, after - before, low, high, min(1.0, greater), two_sided, n, clusters)


def _check_pairs(before: Sequence[object], after: Sequence[object]) -> None:
    if len(before) != len(after):
        raise ValueError(f"paired test needs pairs: {len(before)} values before, {len(after)} after")
    if not before:
        raise ValueError("paired test has no pairs: evaluate both stages on the same suite")


def paired_bootstrap(
    before: Sequence[float],
    after: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedTest:
    """Difference of means, `after` minus `before`, over paired rows.

    clusters: which rows belong together, by an equal value; without it each row stands alone.
    Raises ValueError for unequal lengths or no pairs.
    """
    _check_pairs(before, after)
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if clusters is None:
        clusters = range(len(first))
    _check_pairs(before, clusters)
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    owner = [numbers[cluster] for cluster in clusters]
    gains, sizes = np.bincount(owner, weights=second - first), np.bincount(owner)
    drawn = _resamples(len(numbers), resamples, seed)
    differences = np.concatenate([gains[rows].sum(axis=1) / sizes[rows].sum(axis=1) for rows in drawn])
    return _summary(float(first.mean()), float(second.mean()), differences, len(first), len(numbers))


def paired_bootstrap_chrf(
    before: Sequence[str],
    after: Sequence[str],
    references: Sequence[str],
    *,
    resamples: int = 2_000,
    seed: int = 0,
) -> PairedTest:
    """Difference of corpus chrF between two systems' outputs for the same references."""
    _check_pairs(before, after)
    _check_pairs(before, references)
    counts = [segment_counts(outputs, references) for outputs in (before, after)]
    differences = []
    for rows in _resamples(len(references), resamples, seed):
        times = np.stack([np.bincount(row, minlength=len(references)) for row in rows]).astype(np.float64)
        first, second = (corpus_scores(times @ part) for part in counts)
        differences.append(second - first)
    scores = [float(corpus_scores(part.sum(axis=0, keepdims=True))[0]) for part in counts]
    return _summary(scores[0], scores[1], np.concatenate(differences), len(references), len(references))
