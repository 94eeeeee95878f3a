"""Systems that were trained several times: is one better than another beyond the choice of rows *and* of seeds?

A figure of one training says what that model does; another seed's differs, often by more than papers report. With
models a_1 … a_S and b_1 … b_T on the same rows, the difference is that of the means over seeds, and its variance is

    V = max(V_rows - I_a / S - I_b / T, 0) + s_a^2 / S + s_b^2 / T

V_rows: of the difference when clusters of rows are drawn with replacement, all models keeping theirs. s^2: of the
figures on all rows between a system's seeds. What a seed does differently on some rows is in both; it is I, the
variance by rows of one training that the others do not share, and counts once. The interval and p are Student's with
the degrees of freedom of Welch and Satterthwaite, the part of the rows counting as known: with two or three seeds they
are as wide as so few trainings deserve, where a bootstrap over seeds would be far too sure (bench/significance.py). A
system with one training takes the other's s^2 and I.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from dragoman.evaluation.significance import (
    CHUNK,
    TRIALS,
    Counts,
    Formula,
    by_cluster,
)

ROUNDING = 1e-12
"""Differences of equal figures that are summed in another order"""


@dataclass(frozen=True)
class SeededDifference:
    """System b against system a on the same rows, over several trainings of one of them or both."""

    a: float
    b: float
    """Means over seeds"""
    difference: float
    """b - a"""
    low: float
    high: float
    """95 % interval of the difference"""
    p: float
    """Two-sided"""
    rows: int
    clusters: int


def seeded_difference(
    a: Sequence[Counts],
    b: Sequence[Counts],
    formula: Formula,
    *,
    clusters: Sequence[Hashable] | None = None,
    trials: int = TRIALS,
    seed: int = 0,
) -> SeededDifference:
    """The test of two systems' counts, (rows, k) for each training; ValueError for unequal rows, or one training each.

    No p is below 1 / (trials + 1), as in a bootstrap: the resamples can tell no more.
    """
    if len({len(counts) for counts in (*a, *b)}) != 1 or not len(a[0]):
        raise ValueError("a paired test needs the same rows, and some, of every training")
    if max(len(a), len(b)) < 2:
        raise ValueError("one training of each system says nothing about seeds; use paired_difference")
    first, second = ([by_cluster(counts, clusters) for counts in system] for system in (a, b))
    figures = [np.asarray([_figure(formula, counts) for counts in system]) for system in (first, second)]
    difference = float(figures[1].mean() - figures[0].mean())
    between, freedom = _between_seeds(*figures)
    variance = max(_by_rows(*_drawn(first, second, formula, trials, seed)), 0.0) + between
    freedom = freedom * (variance / between) ** 2 if between else np.inf
    half = float(student.ppf(0.975, freedom)) * variance**0.5
    return SeededDifference(
        a=float(figures[0].mean()), b=float(figures[1].mean()), difference=difference, low=difference - half,
        high=difference + half, p=_p(difference, variance, freedom, trials), rows=len(a[0]), clusters=len(first[0]),
    )  # fmt: skip


def _p(difference: float, variance: float, freedom: float, trials: int) -> float:
    if abs(difference) < ROUNDING:
        return 1.0
    size = abs(difference) / variance**0.5 if variance else np.inf
    return max(float(2 * student.sf(size, freedom)), 1 / (trials + 1))


def _figure(formula: Formula, counts: Counts) -> float:
    return float(formula(counts.sum(axis=0, keepdims=True))[0])


def _between_seeds(a: Counts, b: Counts) -> tuple[float, float]:
    """Variance of the difference of two means over seeds, and its degrees of freedom (Welch and Satterthwaite)."""
    known = [float(np.var(values, ddof=1)) for values in (a, b) if len(values) > 1]
    freedoms = [len(values) - 1 for values in (a, b) if len(values) > 1]
    if len(known) == 1:
        return known[0] * (1 / len(a) + 1 / len(b)), float(freedoms[0])
    parts = [known[0] / len(a), known[1] / len(b)]
    total = sum(parts)
    spread = sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))
    return total, total**2 / spread if spread else float(sum(freedoms))


def _by_rows(a: Counts, b: Counts) -> float:
    """Variance of the difference by the choice of rows, without what seeds do differently on some of them.

    `a` and `b` are figures, (trainings, resamples), of the same resamples.
    """
    own = [_interaction(system) for system in (a, b)]
    known = next(value for value in own if value is not None)
    twice = sum((known if value is None else value) / len(system) for value, system in zip(own, (a, b), strict=True))
    return float(np.var(b.mean(axis=0) - a.mean(axis=0), ddof=1)) - twice


def _interaction(system: Counts) -> float | None:
    """Variance by rows of one training that the others do not share; None of one training alone."""
    if len(system) < 2:
        return None
    alone, mean = float(np.var(system, axis=1, ddof=1).mean()), float(np.var(system.mean(axis=0), ddof=1))
    return max(alone - mean, 0.0) * len(system) / (len(system) - 1)


def _drawn(a: Sequence[Counts], b: Sequence[Counts], formula: Formula, trials: int, seed: int) -> tuple[Counts, Counts]:
    """Figures of every training, (trainings, resamples), in `trials` resamples of the clusters."""
    generator, n = np.random.default_rng([seed, 1]), len(a[0])
    found: tuple[list[Counts], list[Counts]] = ([], [])
    for start in range(0, trials, CHUNK):
        drawn = generator.integers(0, n, size=(min(CHUNK, trials - start), n))
        times = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(np.float64)
        for figures, system in zip(found, (a, b), strict=True):
            figures.append(np.stack([formula(times @ counts) for counts in system]))
    return np.concatenate(found[0], axis=1), np.concatenate(found[1], axis=1)
