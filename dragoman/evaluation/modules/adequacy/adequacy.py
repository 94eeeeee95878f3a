"""`adequacy` for Hugging Face `evaluate`: nearness of meaning by sentence embeddings; docs/rewards/adequacy.md."""

from typing import Any

import datasets
import evaluate

from rewards.translation.adequacy import adequacy

DESCRIPTION = """Mean adequacy from 0 to 1: how near a prediction's meaning is to its source and reference, by
multilingual sentence embeddings. It knows no language: a copy of the source scores high, so read off_target
beside it."""
INPUTS = """predictions, references, sources: lists of texts; target, source: language codes, for all rows."""


class Adequacy(evaluate.Metric):  # type: ignore[misc]
    """See the module note."""

    def _info(self) -> Any:
        texts = {name: datasets.Value("string") for name in ("predictions", "references", "sources")}
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation="", inputs_description=INPUTS, features=datasets.Features(texts)
        )

    def _compute(
        self, predictions: list[str], references: list[str], sources: list[str], target: str, source: str
    ) -> dict[str, object]:
        results = adequacy(predictions, sources, [[source, target]] * len(predictions), list(references))
        known = [result.value for result in results if result.value is not None]
        mean = sum(known) / len(known) if known else None
        reason = "" if known else next((result.detail for result in results), "no rows")
        return {"adequacy": mean, "rows": float(len(known)), "reason": reason}
