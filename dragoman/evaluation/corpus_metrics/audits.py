"""Audits of translations by the house's verifiers: what went wrong, counted.

| name | share of answers that | by |
|---|---|---|
| `off_target`, `off_target_second` | are in another language | py3langid with the house's rules; CLD2 |
| `copies` | hand back their source | `source_copy` |
| `repetition` | say the same again and again | `repetition` |
| `empty` | say nothing | |
| `unfinished` | were cut off, or had no room at all | how the engine says that they ended |
| `length_ratio` | (the mean of) characters for each of the reference, scripts weighted | |
| `numbers`, `placeholders`, `tags`, `urls` | keep all of the source's | `mt_instructions` |
| `names` | (the mean share of) capitalised words that source and reference share and the answer keeps | |
"""

import re

from dragoman.evaluation.corpus_metrics.base import RowMetric
from dragoman.evaluation.corpus_metrics.gated import is_copy
from dragoman.evaluation.outcomes import Outcome
from dragoman.text.scripts import weighted_length
from rewards.translation.guards import repetition
from rewards.translation.instructions import follows

_WORD = re.compile(r"[^\W\d_]\w*")


class OffTarget(RowMetric):
    """Share of decided answers in another language."""

    name, title, higher_is_better = "off_target", "off-target", False
    missing = "the identifier does not know the target language"

    def row_value(self, outcome: Outcome) -> float | None:
        return None if outcome.on_target is None else float(not outcome.on_target)


class OffTargetSecond(RowMetric):
    """The same by the second identifier."""

    name, title, higher_is_better = "off_target_second", "off-target, CLD2", False
    missing = "CLD2 does not know the target language"

    def row_value(self, outcome: Outcome) -> float | None:
        return None if outcome.on_target_second is None else float(not outcome.on_target_second)


class Copies(RowMetric):
    """Share of answers that hand back their source."""

    name, title, higher_is_better = "copies", "copies of the source", False
    missing = "no row has a source"

    def row_value(self, outcome: Outcome) -> float | None:
        return float(is_copy(outcome)) if outcome.source.strip() else None


class Repetition(RowMetric):
    """Share of answers that loop."""

    name, title, higher_is_better = "repetition", "repetition", False

    def row_value(self, outcome: Outcome) -> float | None:
        return float(repetition(outcome.response).value == 0)


class Empty(RowMetric):
    """Share of answers without any text."""

    name, title, higher_is_better = "empty", "empty", False

    def row_value(self, outcome: Outcome) -> float | None:
        return float(not outcome.response.strip())


class Unfinished(RowMetric):
    """Share of answers that did not end by themselves."""

    name, title, higher_is_better = "unfinished", "unfinished", False
    missing = "nothing says how the answers ended"

    def row_value(self, outcome: Outcome) -> float | None:
        return float(outcome.finish_reason in ("length", "too_long")) if outcome.finish_reason else None


class LengthRatio(RowMetric):
    """Mean length of an answer over its reference's."""

    name, title = "length_ratio", "length ratio"
    unit = "reward"
    missing = "no row has a reference"

    def row_value(self, outcome: Outcome) -> float | None:
        length = weighted_length(outcome.reference)
        return weighted_length(outcome.response) / length if length else None


class Kept(RowMetric):
    """Share of answers that keep something of the source; rows whose source has none of it say nothing."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self.missing = f"no source has {name}"

    def row_value(self, outcome: Outcome) -> float | None:
        if not outcome.source.strip() or follows("x", f"mt:{self.name}", source=outcome.source) is None:
            return None
        followed = follows(outcome.response, f"mt:{self.name}", source=outcome.source, locale=outcome.target_language)
        return None if followed is None else float(followed)


class Names(RowMetric):
    """Share of names that survive: words with a capital inside the source that the reference has as well."""

    name, title = "names", "names kept"
    missing = "no row has a name that its reference keeps"

    def row_value(self, outcome: Outcome) -> float | None:
        kept = set(_WORD.findall(outcome.reference))
        inside = _WORD.findall(outcome.source)[1:]
        names = {word for word in inside if len(word) > 2 and word[0].isupper() and word in kept}
        answered = set(_WORD.findall(outcome.response))
        return len(names & answered) / len(names) if names else None


AUDITS = (
    OffTarget(), OffTargetSecond(), Copies(), Repetition(), Empty(), Unfinished(), LengthRatio(), Names(),
    Kept("numbers", "numbers kept"), Kept("placeholders", "placeholders kept"), Kept("tags", "tags kept"),
    Kept("urls", "addresses kept"),
)  # fmt: skip
