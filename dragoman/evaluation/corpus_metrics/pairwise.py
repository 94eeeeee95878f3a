"""Metrics of the task pairwise: `win_rate` (a tie, or two opposite verdicts, count half), `wins`, `losses`, and
`characters_longer`, by how many characters the answers are longer than the baseline's in the mean."""

from collections.abc import Callable
from typing import Literal

from dragoman.evaluation.corpus_metrics.base import RowMetric
from dragoman.evaluation.outcomes import Outcome


class OfVerdicts(RowMetric):
    """The mean of a number made of (verdict, characters, characters of the baseline)."""

    missing = "no row of the task pairwise has a verdict"

    def __init__(
        self,
        name: str,
        title: str,
        value: Callable[[float, float, float], float],
        unit: Literal["score", "percent"] = "percent",
        higher_is_better: bool = True,
    ) -> None:
        self.name, self.title, self.value = name, title, value
        self.unit, self.higher_is_better = unit, higher_is_better

    def row_value(self, outcome: Outcome) -> float | None:
        return self.value(*outcome.counts) if outcome.task == "pairwise" and outcome.counts else None


PAIRWISE = (
    OfVerdicts("win_rate", "win rate", lambda verdict, ours, theirs: verdict),
    OfVerdicts("wins", "wins", lambda verdict, ours, theirs: float(verdict == 1)),
    OfVerdicts("losses", "losses", lambda verdict, ours, theirs: float(verdict == 0), higher_is_better=False),
    OfVerdicts("characters_longer", "characters longer", lambda verdict, ours, theirs: ours - theirs, "score", False),
)
