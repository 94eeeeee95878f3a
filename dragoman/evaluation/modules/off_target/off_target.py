"""`off_target` for Hugging Face `evaluate`: the share of translations in another language, by two identifiers."""

from typing import Any

import datasets
import evaluate

from dragoman.text.identification import is_on_target
from dragoman.text.second_identifier import second_opinion

DESCRIPTION = """Off-target ratio (arXiv 2403.14399): the share of decided predictions in another language than the
target, by py3langid with the house's rules (`off_target`) and by CLD2 (`off_target_second`); None where none is
decided."""
INPUTS = """predictions, sources: lists of texts; target, source: language codes, for all rows."""


class OffTarget(evaluate.Metric):  # type: ignore[misc]
    """See the module note."""

    def _info(self) -> Any:
        texts = {name: datasets.Value("string") for name in ("predictions", "sources")}
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation="", inputs_description=INPUTS, features=datasets.Features(texts)
        )

    def _compute(self, predictions: list[str], sources: list[str], target: str, source: str) -> dict[str, float | None]:
        pairs = list(zip(predictions, sources, strict=True))
        first = [is_on_target(answer, target, source, source_text=text).on_target for answer, text in pairs]
        second = [second_opinion(answer, target, source, source_text=text).on_target for answer, text in pairs]
        return {
            "off_target": _share(first),
            "off_target_second": _share(second),
            "undecided": float(sum(verdict is None for verdict in first)),
        }


def _share(verdicts: list[bool | None]) -> float | None:
    known = [verdict for verdict in verdicts if verdict is not None]
    return sum(not verdict for verdict in known) / len(known) if known else None
