"""The headline of a translation suite: chrF in which an answer in the wrong language counts as no answer.

Corpus chrF pays a copy of the source, or fluent text in another language, for the letters that languages share: more
than a fluent sentence of the right language about something else. Here an answer that `is_on_target` refuses, and one
that hands back its source where the reference does not (`source_copy`), is scored as an empty text. So a system that
translates nothing has 0, and stands below any that writes the target language. Texts are compared in the house's one
form, as the metric `chrf` of a training run compares them.
"""

from collections.abc import Sequence

from dragoman.evaluation.chrf import corpus_scores, segment_counts
from dragoman.evaluation.corpus_metrics.base import CorpusMetric, Counts, Scores
from dragoman.evaluation.outcomes import Outcome
from rewards.translation.guards import source_copy


class GatedChrF(CorpusMetric):
    """See the module note."""

    name, title = "gated_chrf", "chrF, gated"

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        responses = [outcome.response if passes_gate(outcome) else "" for outcome in outcomes]
        return segment_counts(responses, [outcome.reference for outcome in outcomes])

    def score(self, summed: Counts) -> Scores:
        return corpus_scores(summed)

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        return "" if all(outcome.reference for outcome in outcomes) else "there is a row without a reference"

    def signature(self, outcomes: Sequence[Outcome]) -> str:
        closed = sum(not passes_gate(outcome) for outcome in outcomes)
        return f"closed:{closed} of {len(outcomes)}"


def passes_gate(outcome: Outcome) -> bool:
    """Whether an answer is a translation at all: not off target, and no copy of its source."""
    return outcome.on_target is not False and not is_copy(outcome)


def is_copy(outcome: Outcome) -> bool:
    """Whether the answer hands back its source where no reference does."""
    if not outcome.source.strip():
        return False
    found = source_copy(outcome.response, outcome.source, list(outcome.references) or None)
    return found.value == 0
