"""Has a series begun to rise? A test that may be asked after every step and keeps its level over all of them.

Value number t is compared with those before it. As long as nothing changes (the values are exchangeable) its rank among
the first t is equally likely to be 1 … t, and independent of all ranks before it (Rényi 1962). A bettor who starts with
1 and stakes on high ranks therefore holds a martingale, and by Ville's inequality its fortune ever reaches 1/α with a
probability of at most α, whatever the values' distribution and however often one looks: a conformal test martingale
(Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2nd ed. 2022, ch. 8).

The stake of strength κ pays t (u^(κ+1) − l^(κ+1)) for the rank interval (l, u] = ((r − 1)/t, r/t]: the mean of
(κ + 1) q^κ over it. Ties count as low ranks, which only lowers the fortune. The money is spread over strengths and over
moments to begin betting (every `RESTART` values, share 1/(k (k + 1)) for moment k), so that a change after a long quiet
time is found too; the moment that won most says since when.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0)
RESTART = 5
WINDOW = 10
"""Values at either end that say from where to where a series went, at most; at least two, else a quarter of it"""


@dataclass(frozen=True)
class Fortunes:
    """What the bettor has after each value."""

    logs: NDArray[np.float64]
    """(T,): log of the whole fortune; 0 at the first value"""
    since: NDArray[np.int64]
    """(T,): the index from which betting would have won most"""


@dataclass(frozen=True)
class Rise:
    """A series that rose beyond chance and by enough to matter."""

    since: int
    """Index of the value from which it rose"""
    found: int
    """Index of the value with which that could be said"""


def stakes(values: Sequence[float]) -> NDArray[np.float64]:
    """(strengths, T): log of what each value pays."""
    series = np.asarray(values, dtype=np.float64)
    lower = np.asarray([(series[:t] < value).sum() for t, value in enumerate(series)], dtype=np.float64)
    count = np.arange(1, len(series) + 1, dtype=np.float64)
    powers = np.asarray(STRENGTHS)[:, None] + 1
    return np.asarray(np.log(count) + np.log(((lower + 1) / count) ** powers - (lower / count) ** powers))


def fortunes(values: Sequence[float]) -> Fortunes:
    """The bettor's fortune over a series, in the order of its values."""
    paid = stakes(values)
    moments = np.arange(0, len(values), RESTART)
    shares = -np.log(np.arange(1, len(moments) + 1) * np.arange(2, len(moments) + 2)) - math.log(len(STRENGTHS))
    pots = np.zeros((len(STRENGTHS), len(moments)))
    logs, since = np.zeros(len(values)), np.zeros(len(values), dtype=np.int64)
    for t in range(len(values)):
        begun = t // RESTART + 1
        pots[:, :begun] += paid[:, t, None]
        unspent = -math.log(begun + 1)  # what is kept for later moments
        logs[t] = np.logaddexp(np.logaddexp.reduce(pots[:, :begun] + shares[:begun], axis=None), unspent)
        since[t] = moments[int(np.argmax(pots[:, :begun].max(axis=0)))]
    return Fortunes(logs, since)


def ends(values: Sequence[float]) -> tuple[float, float]:
    """Mean of the first and of the last values."""
    size = window(len(values))
    return float(np.mean(values[:size])), float(np.mean(values[-size:]))


def window(count: int) -> int:
    """How many of so many values stand for either end."""
    return min(WINDOW, max(2, count // 4))


def blocks(values: Sequence[float], size: int) -> list[float]:
    """Means of `size` values each; what is left over waits for the rest of its block."""
    whole = len(values) // size * size
    return [float(mean) for mean in np.reshape(np.asarray(values[:whole], dtype=np.float64), (-1, size)).mean(axis=1)]


def find_rise(values: Sequence[float], odds: float, least: float) -> Rise | None:
    """The first moment at which a rise beyond chance (fortune ≥ `odds`) of at least `least` could be told.

    Over all moments the probability of one in a series without change is at most 1/odds.
    """
    far = [at for at in range(2, len(values)) if _went(values[: at + 1]) >= least]
    if not far:
        return None
    found = fortunes(values)
    at = next((at for at in far if found.logs[at] >= math.log(odds)), None)
    return None if at is None else Rise(int(found.since[at]), at)


def _went(values: Sequence[float]) -> float:
    size = window(len(values))
    return (sum(values[-size:]) - sum(values[:size])) / size
