"""95 % intervals of a suite's metrics over the choice of rows: percentile bootstrap (Efron and Tibshirani 1993).

Where all rows are 0, or all 1, resamples show no spread; a share then has the exact binomial interval over clusters
(Clopper and Pearson 1934). Rows of one cluster are drawn together, as in `statistics`. Corpus metrics have one, since
their counts add up. Of what tasks compute only means over rows and corpus chrF do; the rest have none rather than a
wrong one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from dragoman.evaluation.chrf import corpus_scores, segment_counts
from dragoman.evaluation.corpus_metrics.base import CorpusMetric, Counts, RowMetric, Scores
from dragoman.evaluation.outcomes import Evaluation, MetricValue, Outcome, adequacy_of

RESAMPLES = 1_000
Interval = tuple[float, float]


def _not(value: bool | None) -> float | None:
    return None if value is None else float(not value)


def _right(outcome: Outcome) -> float | None:
    return None if outcome.correct is None else float(outcome.correct)


ROW_VALUES: Mapping[str, Callable[[Outcome], float | None]] = {
    "accuracy": _right,
    "pass_at_1": _right,
    "strict": _right,
    "exact_match": _right,
    "share": lambda outcome: outcome.share,
    "reward_greedy": lambda outcome: outcome.reward,
    "reward_sampled": lambda outcome: outcome.sampled_reward,
    "adequacy": adequacy_of,
    "off_target": lambda outcome: _not(outcome.on_target),
    "off_target_second": lambda outcome: _not(outcome.on_target_second),
}
"""Metrics that are the mean of a number of each row"""
SHARES = frozenset(ROW_VALUES) - {"reward_greedy", "reward_sampled", "adequacy"}
"""Those whose numbers lie between 0 and 1"""


def interval(metric: str, outcomes: Sequence[Outcome], seed: int = 0) -> Interval | None:
    """Of one metric of some outcomes; None where it has none, or fewer than two clusters."""
    if metric == "chrf":
        return _interval(segment_counts([o.response for o in outcomes], [o.reference for o in outcomes]),
                         corpus_scores, outcomes, seed)  # fmt: skip
    if metric not in ROW_VALUES:
        return None
    known = [(o, value) for o in outcomes if (value := ROW_VALUES[metric](o)) is not None]
    counts = np.asarray([(value, 1.0) for _, value in known], dtype=np.float64)
    return _interval(counts, _mean, [o for o, _ in known], seed, share=metric in SHARES)


def with_interval(metric: CorpusMetric, outcomes: Sequence[Outcome], seed: int = 0) -> MetricValue:
    """A corpus metric of some outcomes with its interval; without one where it has no value, or one cluster."""
    value = metric.measure(outcomes)
    if value.value is None:
        return value
    share = isinstance(metric, RowMetric) and metric.unit == "percent"
    found = _interval(metric.counts(outcomes), metric.score, outcomes, seed, share=share)
    return replace(value, low=found[0], high=found[1]) if found else value


def interval_of(suite: str, metric: str, evaluation: Evaluation) -> Interval | None:
    """Of a suite's metric: the one that the evaluation states, or else computed from its outcomes."""
    found = evaluation.suite(suite)
    stated = next((value for value in found.measured if value.name == metric), None) if found else None
    if stated is None:
        return interval(metric, evaluation.outcomes_of(suite))
    return None if stated.low is None or stated.high is None else (stated.low, stated.high)


def _mean(summed: Counts) -> Scores:
    return np.asarray(summed[:, 0] / summed[:, 1], dtype=np.float64)


def _interval(
    counts: Counts, score: Callable[[Counts], Scores], outcomes: Sequence[Outcome], seed: int, *, share: bool = False
) -> Interval | None:
    """`share`: counts are (value, 1) of rows with a number from 0 to 1, (0, 0) of others; the figure is their mean."""
    names = {name: number for number, name in enumerate(dict.fromkeys(o.cluster or o.id for o in outcomes))}
    if len(names) < 2:
        return None
    summed = np.zeros((len(names), counts.shape[1]))
    np.add.at(summed, [names[o.cluster or o.id] for o in outcomes], counts)
    if share and (edge := _at_an_edge(summed)):
        return edge
    times = np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=RESAMPLES)
    scores = score(times @ summed)
    if np.isnan(scores).all():
        return None
    low, high = np.nanpercentile(scores, [2.5, 97.5])  # a resample may hold no row that has a number
    return float(low), float(high)


def _at_an_edge(summed: Counts) -> Interval | None:
    """The binomial interval where the mean of every cluster (sum, rows) is 0, or of every one 1."""
    known = summed[summed[:, 1] > 0]
    if not len(known):
        return None
    widest = 0.025 ** (1 / len(known))
    if not known[:, 0].any():
        return 0.0, 1 - widest
    return (widest, 1.0) if np.array_equal(known[:, 0], known[:, 1]) else None
