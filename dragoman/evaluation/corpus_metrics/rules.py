"""Metrics of answers under rules that programs check: constraints (IFEval, IFBench) and instructed translation.

`strict` is IFEval's prompt-level strict accuracy (arXiv 2311.07911), `rules` the mean share of a row's rules that are
kept, `if_mt` the mean of share x adequacy (see `tasks.instructed`).
"""

from dragoman.evaluation.corpus_metrics.base import RowMetric
from dragoman.evaluation.outcomes import Outcome, adequacy_of


def rules_times_quality(share: float | None, quality: float | None) -> float | None:
    """Of both, each from 0 to 1; None where one of them is not known, unless the other makes it 0."""
    if share == 0 or quality == 0:
        return 0.0
    return None if share is None or quality is None else share * quality


class RulesKept(RowMetric):
    """Mean share of the rules of a row that are kept."""

    name, title = "rules", "rules kept"
    missing = "no row has rules that could be checked"

    def row_value(self, outcome: Outcome) -> float | None:
        return outcome.share


class AllRulesKept(RowMetric):
    """Share of rows of which every rule is kept."""

    name, title = "strict", "all kept"
    missing = RulesKept.missing

    def row_value(self, outcome: Outcome) -> float | None:
        return None if outcome.share is None or outcome.correct is None else float(outcome.correct)


class RulesTimesQuality(RowMetric):
    """Mean of rules kept x adequacy."""

    name, title = "if_mt", "rules x adequacy"
    missing = "no row has both its rules checked and its adequacy measured"

    def row_value(self, outcome: Outcome) -> float | None:
        return rules_times_quality(outcome.share, adequacy_of(outcome))


RULES = (RulesTimesQuality(), RulesKept(), AllRulesKept())
