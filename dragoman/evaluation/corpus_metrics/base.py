"""What a corpus metric is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluation.outcomes import MetricValue, Outcome

Counts = NDArray[np.float64]
"""(rows, k): what a metric counts in each row; a corpus is the sum of its rows"""
Scores = NDArray[np.float64]
"""(corpora,)"""


class CorpusMetric(ABC):
    """A figure of a whole corpus."""

    name: str
    title: str
    """In tables"""
    higher_is_better: bool = True
    unit: Literal["score", "percent", "reward"] = "score"

    @abstractmethod
    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        """What is counted in each row."""

    @abstractmethod
    def score(self, summed: Counts) -> Scores:
        """The figure of each row of summed counts: many resamples at once."""

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        """Why it cannot be computed for these rows; empty when it can."""
        return ""

    def signature(self, outcomes: Sequence[Outcome]) -> str:
        """What the figure depends on."""
        return ""

    def measure(self, outcomes: Sequence[Outcome]) -> MetricValue:
        """The figure, or None with the reason, never a 0 in its place."""
        reason = "no rows" if not outcomes else self.fault(outcomes)
        value, signature = None, ""
        if not reason:
            value = float(self.score(self.counts(outcomes).sum(axis=0, keepdims=True))[0])
            signature = self.signature(outcomes)
        return MetricValue(self.name, value, reason, signature, self.higher_is_better, self.unit, self.title)


class RowMetric(CorpusMetric):
    """The mean of a number that each row has; rows without one are left out, and their number is told."""

    unit: Literal["score", "percent", "reward"] = "percent"
    missing = "no row has one"
    """The reason where no row has a number"""

    @abstractmethod
    def row_value(self, outcome: Outcome) -> float | None:
        """The number of a row; None where it has none."""

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        values = [self.row_value(outcome) for outcome in outcomes]
        return np.asarray([(0.0, 0.0) if v is None else (float(v), 1.0) for v in values], dtype=np.float64)

    def score(self, summed: Counts) -> Scores:
        known = np.maximum(summed[:, 1], 1)
        return np.asarray(np.where(summed[:, 1] > 0, summed[:, 0] / known, np.nan), dtype=np.float64)

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        return "" if any(self.row_value(outcome) is not None for outcome in outcomes) else self.missing

    def signature(self, outcomes: Sequence[Outcome]) -> str:
        known = sum(self.row_value(outcome) is not None for outcome in outcomes)
        return "" if known == len(outcomes) else f"rows:{known} of {len(outcomes)}"
