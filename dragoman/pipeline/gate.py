"""Whether a new model may take the place of the old one: a paired test on the customer's own segments.

    two evaluations on the same suites -> paired test of each suite (dragoman.evaluation.comparing) -> verdict

A model that cannot be shown to be about as good is refused as one that is shown to be worse: of too few segments
nothing follows. Every suite must pass; no suite makes up for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dragoman.evaluation.comparing import Pair, Standing
from dragoman.evaluation.comparison import signed, suite_name
from dragoman.evaluation.corpus_metrics import find_metric

ALPHA = 0.05
SCALE = {"score": 1.0, "percent": 100.0, "reward": 100.0}
"""What a metric's values are multiplied by to be points of 100"""
Finding = Literal["better", "no worse", "worse", "undecided"]
TEXTS: dict[Finding, str] = {
    "better": "better, beyond chance",
    "no worse": "no worse: a loss of more than the tolerance is ruled out",
    "worse": "worse, beyond chance",
    "undecided": "undecided: a loss of more than the tolerance is not ruled out; evaluate on more segments",
}


@dataclass(frozen=True)
class SuiteVerdict:
    """The new model against the old one on a suite, in points of 100; positive is better."""

    suite: str
    metric: str
    old: float
    new: float
    difference: float
    low: float
    high: float
    """95 % interval of the difference"""
    p: float
    rows: int
    finding: Finding

    @property
    def text(self) -> str:
        """For people."""
        interval = f"{signed(self.low, 1)} to {signed(self.high, 1)}"
        found = f"{self.old:.1f} → {self.new:.1f}, {signed(self.difference, 1)} ({interval}), p {self.p:.3f}"
        return f"{suite_name(self.suite)} ({self.metric}, {self.rows} rows): {found}: {TEXTS[self.finding]}"


@dataclass(frozen=True)
class Verdict:
    """Of a new model."""

    accepted: bool
    tolerance: float
    suites: tuple[SuiteVerdict, ...]


def judge(standing: Standing, tolerance: float) -> Verdict:
    """`standing` compares the old model (first) with the new one; `tolerance` is the loss, in points, that is borne."""
    suites = tuple(_judged(pair, tolerance) for pair in standing.pairs)
    return Verdict(_accepted(suites), tolerance, suites)


def _accepted(suites: Sequence[SuiteVerdict]) -> bool:
    return bool(suites) and all(suite.finding in ("better", "no worse") for suite in suites)


def _judged(pair: Pair, tolerance: float) -> SuiteVerdict:
    metric = find_metric(pair.metric)
    scale = SCALE[metric.unit]
    gain = scale if metric.higher_is_better else -scale
    low, high = sorted((gain * pair.low, gain * pair.high))
    difference = gain * pair.difference
    finding: Finding = "undecided"
    if pair.p < ALPHA or low > 0 or high < 0:
        finding = "better" if difference > 0 else "worse"
    elif low >= -tolerance:
        finding = "no worse"
    return SuiteVerdict(
        pair.suite, pair.metric, scale * pair.value_a, scale * pair.value_b, difference, low, high,
        pair.p, pair.rows, finding,
    )  # fmt: skip
