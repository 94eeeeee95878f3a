"""Has a development metric worsened since version 0, on the same rows? An exact sign test at every look.

A hack can be over in five steps, after which figures stand still again: the history of a mean says little about it.
The rows say more. Each look's greedy answers stand beside those of version 0 to the same prompts; where the model is as
good as it was, a row (a cluster, where several ask for one thing) is as likely to have got better as worse (Conover,
Practical Nonparametric Statistics, 3rd ed. 1999, ch. 3.4). Logged beside the metric as
`development/SUITE/METRIC/p_worse`.

Many looks are many chances: look number k may use 6 / (π k)² of the level, which adds up to the level (`allowance`).
"""

import math
from collections.abc import Sequence

from scipy.stats import binomtest

from dragoman.evaluation.chrf import corpus_scores, segment_counts
from dragoman.evaluation.intervals import ROW_VALUES
from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.evaluation.tasks import find_task

P_WORSE = "p_worse"


def worsening(first: Evaluation, now: Evaluation) -> dict[str, float]:
    """By suite and metric the p of "worse than at the first look"; only metrics that a row has a number of."""
    found = {}
    for suite in now.suites:
        before, after = first.outcomes_of(suite.name), now.outcomes_of(suite.name)
        for column in find_task(suite.task).columns:
            values = _values(column.metric, before), _values(column.metric, after)
            if values[0] and values[1]:
                name = f"development/{suite.name}/{column.metric}/{P_WORSE}"
                sign = 1 if column.higher_is_better else -1
                found[name] = sign_test(_changes(before, after, *values, sign))
    return found


def sign_test(gains: Sequence[float]) -> float:
    """One-sided p of "falls are likelier than gains"; what did not change says nothing."""
    changed = [gain for gain in gains if gain]
    falls = sum(gain < 0 for gain in changed)
    return float(binomtest(falls, len(changed), 0.5, alternative="greater").pvalue) if changed else 1.0


def allowance(look: int) -> float:
    """The share of a level that look number 1, 2, … may use; they add up to 1."""
    return 6 / (math.pi * look) ** 2


def _values(metric: str, outcomes: Sequence[Outcome]) -> dict[str, float]:
    """By row its number, where it has one."""
    if metric == "chrf":
        counts = segment_counts([o.response for o in outcomes], [o.reference for o in outcomes])
        return dict(zip((o.id for o in outcomes), map(float, corpus_scores(counts)), strict=True))
    if metric not in ROW_VALUES:
        return {}
    values = {outcome.id: ROW_VALUES[metric](outcome) for outcome in outcomes}
    return {name: value for name, value in values.items() if value is not None}


def _changes(
    before: Sequence[Outcome], after: Sequence[Outcome], first: dict[str, float], now: dict[str, float], sign: int
) -> list[float]:
    """Of each cluster, how much better it became."""
    gains: dict[str, float] = {}
    known = {outcome.id for outcome in before}
    for outcome in after:
        if outcome.id in known and outcome.id in first and outcome.id in now:
            cluster = outcome.cluster or outcome.id
            gains[cluster] = gains.get(cluster, 0.0) + sign * (now[outcome.id] - first[outcome.id])
    return [round(gain, 9) for gain in gains.values()]
