"""Between two models: which of those between them stands on the frontier of translation and general skill?

A candidate that is beyond chance worse than either end on any suite (`dragoman.evaluation.comparison`: paired bootstrap
on the same rows, corrected for the number of tests) is out. Of those left the one is taken whose mean of translation
(chrF / 100) and general skill is highest; the earliest of equals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dragoman.evaluation.comparison import compare, general_score, is_significant, translation_score
from dragoman.evaluation.outcomes import Evaluation, mean

SHOWN = 3
"""Reasons that a table gives for one candidate"""


@dataclass(frozen=True)
class Candidate:
    """A merged model, measured."""

    weight: float
    """Share of the later model"""
    translation: float | None
    """Mean chrF of the translation suites, 0 to 100"""
    general: float | None
    """Mean of the primary metrics of the others, 0 to 1"""
    worse: tuple[str, ...] = ()
    """What it is beyond chance worse at than an end, in words"""

    @property
    def score(self) -> float:
        """What candidates are chosen by."""
        return mean([None if self.translation is None else self.translation / 100, self.general]) or 0.0


def overall_score(evaluation: Evaluation) -> float:
    """What models are chosen by: the mean of translation (chrF / 100) and general skill, as far as there are suites."""
    return Candidate(1.0, translation_score(evaluation), general_score(evaluation)).score


def candidates_of(measured: Mapping[float, Evaluation]) -> list[Candidate]:
    """All models by weight, the two ends (0 and 1) among them, compared with the ends."""
    ends = {"the earlier": measured[0.0], "the later": measured[1.0]}
    found = []
    for weight, evaluation in sorted(measured.items()):
        worse = [
            f"{row.suite} {row.measure} than {name} ({row.test.before:.3g} to {row.test.after:.3g}, p {row.p:.3f})"
            for name, end in ends.items()
            if end is not evaluation
            for row in compare(end, evaluation)
            if is_significant(row) and row.test.difference < 0
        ]
        found.append(Candidate(weight, translation_score(evaluation), general_score(evaluation), tuple(worse)))
    return found


def chosen(candidates: Sequence[Candidate]) -> Candidate | None:
    """The best between the ends; None when each is worse than an end at something."""
    between = [c for c in candidates if 0 < c.weight < 1 and not c.worse]
    return max(between, key=lambda c: c.score, default=None)


def table(candidates: Sequence[Candidate]) -> str:
    """The candidates as lines of text."""
    lines = ["share of the later  chrF   general"]
    for c in candidates:
        chrf = "–" if c.translation is None else f"{c.translation:.1f}"
        general = "–" if c.general is None else f"{100 * c.general:.1f}"
        lines.append(f"{c.weight:<18g}  {chrf:<5}  {general}")
        lines += [f"    worse: {text}" for text in c.worse[:SHOWN]]
        lines += [f"    and at {len(c.worse) - SHOWN} more"] if len(c.worse) > SHOWN else []
    return "\n".join(lines)
