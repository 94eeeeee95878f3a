"""Metrics of Tower's annotation tasks, over the counts that `tasks.annotated` takes of each answer.

| name | figure | definition |
|---|---|---|
| `span_f1`, `span_precision`, `span_recall` | characters marked as errors | tower-eval |
| `entity_f1`, … | entities | conlleval, seqeval |
| `edit_f0.5`, … | edits of a correction | M2, errant_compare |
| `spearman`, `pearson`, `kendall` | an answer's ratings against those of people | scipy's; Kendall's is tau-b |
| `unread` | share of ratings that are none | |
| `draft_gain`, `draft_ter_gain` | chrF and TER of the answers, better than those of the drafts by so much | sacrebleu |

A rating that cannot be read stands for the mean of the others, which agrees with nothing, so a system gains nothing by
leaving out what is hard. Correlations are sums over rows as well: of products for Pearson, of products of ranks for
Spearman, of a row's agreements with all others for Kendall. The figure of a whole suite is exact; in resamples ranks
and partners stay those of the suite.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from dragoman.evaluation.corpus_metrics.base import CorpusMetric, Counts, RowMetric, Scores
from dragoman.evaluation.corpus_metrics.surface import SURFACE, SacrebleuMetric
from dragoman.evaluation.outcomes import Outcome

Part = Literal["f", "precision", "recall"]


class FMeasure(CorpusMetric):
    """Precision, recall or F of (right, given, wanted), summed over rows."""

    unit = "percent"

    def __init__(self, name: str, task: str, part: Part, beta: float = 1.0) -> None:
        self.name, self.task, self.part, self.beta = name, task, part, beta
        self.title = name.replace("_", " ")

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        return np.asarray([outcome.counts for outcome in outcomes], dtype=np.float64)

    def score(self, summed: Counts) -> Scores:
        right, given, wanted = summed.T
        if self.part == "f":
            below = given + self.beta**2 * wanted
            above = (1 + self.beta**2) * right
        else:
            above, below = right, given if self.part == "precision" else wanted
        return np.asarray(np.where(below > 0, above / np.maximum(below, 1e-12), 1.0), dtype=np.float64)

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        if any(outcome.task != self.task for outcome in outcomes):
            return f"it is a metric of the task {self.task} alone"
        _, given, wanted = self.counts(outcomes).sum(axis=0)
        if self.part != "recall" and not given and (self.part == "precision" or not wanted):
            return "the answers give nothing"
        return "nothing was wanted" if self.part == "recall" and not wanted else ""


class Correlation(CorpusMetric):
    """Pearson's correlation, of the numbers or of their ranks (Spearman's)."""

    unit = "reward"

    def __init__(self, name: str, ranks: bool) -> None:
        self.name = self.title = name
        self.ranks = ranks

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        theirs, ours = ratings(outcomes)
        if self.ranks:
            theirs, ours = rankdata(theirs), rankdata(ours)
        theirs, ours = theirs - theirs.mean(), ours - ours.mean()
        return np.stack([np.ones_like(ours), ours, theirs, ours * ours, theirs * theirs, ours * theirs], axis=1)

    def score(self, summed: Counts) -> Scores:
        n, x, y, xx, yy, xy = summed.T
        spread = np.sqrt(np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0))
        return np.asarray(np.where(spread > 0, (n * xy - x * y) / np.where(spread > 0, spread, 1), 0.0))

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        if any(outcome.task != "quality" for outcome in outcomes):
            return "it is a metric of the task quality alone"
        sides = ratings(outcomes)
        for side, who in zip(sides, ("people's ratings", "the answers' ratings"), strict=True):
            if len(set(side)) < 2:
                return f"{who} are all the same, or none"
        return ""

    def signature(self, outcomes: Sequence[Outcome]) -> str:
        unread = sum(len(outcome.counts) < 2 for outcome in outcomes)
        return f"unread:{unread} of {len(outcomes)}" if unread else ""


class Kendall(Correlation):
    """Kendall's tau-b: of all pairs of rows, those in the same order less those in the opposite one, ties out."""

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        theirs, ours = ratings(outcomes)
        rows = []
        for one, other in zip(theirs, ours, strict=True):
            a, b = np.sign(theirs - one), np.sign(ours - other)
            rows.append([(a * b).sum(), np.abs(a).sum(), np.abs(b).sum()])
        return np.asarray(rows, dtype=np.float64)

    def score(self, summed: Counts) -> Scores:
        same, theirs, ours = summed.T
        spread = np.sqrt(theirs * ours)
        return np.asarray(np.where(spread > 0, same / np.where(spread > 0, spread, 1), 0.0), dtype=np.float64)


def ratings(outcomes: Sequence[Outcome]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """People's and the answers' ratings."""
    theirs = np.asarray([outcome.counts[0] for outcome in outcomes], dtype=np.float64)
    read = [outcome.counts[1] for outcome in outcomes if len(outcome.counts) == 2]
    middle = float(np.mean(read)) if read else 0.0
    return theirs, np.asarray([o.counts[1] if len(o.counts) == 2 else middle for o in outcomes], dtype=np.float64)


class Unread(RowMetric):
    """Share of answers without a rating."""

    name, title, higher_is_better = "unread", "unread", False
    missing = "it is a metric of the task quality alone"

    def row_value(self, outcome: Outcome) -> float | None:
        return float(len(outcome.counts) < 2) if outcome.task == "quality" else None


class DraftGain(CorpusMetric):
    """How much better the answers are than the drafts that they were to mend."""

    def __init__(self, name: str, title: str, base: SacrebleuMetric) -> None:
        self.name, self.title, self.base = name, title, base

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        drafts = [replace(outcome, response=outcome.draft) for outcome in outcomes]
        return np.concatenate([self.base.counts(outcomes), self.base.counts(drafts)], axis=1)

    def score(self, summed: Counts) -> Scores:
        ours, drafts = np.split(summed, 2, axis=1)
        gain = self.base.score(ours) - self.base.score(drafts)
        return gain if self.base.higher_is_better else -gain

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        return self.base.fault(outcomes) if all(o.draft for o in outcomes) else "there is a row without a draft"

    def signature(self, outcomes: Sequence[Outcome]) -> str:
        return str(self.base.scorer(outcomes).get_signature())


_BY_NAME = {metric.name: metric for metric in SURFACE}
ANNOTATED: tuple[CorpusMetric, ...] = (
    FMeasure("span_f1", "error_spans", "f"), FMeasure("span_precision", "error_spans", "precision"),
    FMeasure("span_recall", "error_spans", "recall"), FMeasure("entity_f1", "named_entities", "f"),
    FMeasure("entity_precision", "named_entities", "precision"), FMeasure("entity_recall", "named_entities", "recall"),
    FMeasure("edit_f0.5", "grammar", "f", 0.5), FMeasure("edit_precision", "grammar", "precision"),
    FMeasure("edit_recall", "grammar", "recall"), Correlation("spearman", ranks=True),
    Correlation("pearson", ranks=False), Kendall("kendall", ranks=True), Unread(),
    DraftGain("draft_gain", "chrF gained", _BY_NAME["chrf"]), DraftGain("draft_ter_gain", "TER saved", _BY_NAME["ter"]),
)  # fmt: skip
