"""`gated_chrf` for Hugging Face `evaluate`: corpus chrF in which an answer in the wrong language is no answer."""

from typing import Any

import datasets
import evaluate

from dragoman.evaluation.chrf import corpus_chrf
from dragoman.text.identification import is_on_target
from rewards.translation.guards import source_copy

DESCRIPTION = """Corpus chrF2 by sacrebleu, 0 to 100. A prediction that is not in the target language, or that hands
back its source where the reference does not, is scored as an empty text."""
INPUTS = """predictions, references, sources: lists of texts; target, source: language codes, for all rows."""


class GatedChrf(evaluate.Metric):  # type: ignore[misc]
    """See the module note."""

    def _info(self) -> Any:
        texts = {name: datasets.Value("string") for name in ("predictions", "references", "sources")}
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation="", inputs_description=INPUTS, features=datasets.Features(texts)
        )

    def _compute(
        self, predictions: list[str], references: list[str], sources: list[str], target: str, source: str
    ) -> dict[str, float | None]:
        passed = []
        for answer, reference, text in zip(predictions, references, sources, strict=True):
            right = is_on_target(answer, target, source, source_text=text).on_target is not False
            passed.append(right and source_copy(answer, text, [reference]).value != 0)
        answers = [answer if right else "" for answer, right in zip(predictions, passed, strict=True)]
        return {"gated_chrf": corpus_chrf(answers, references), "closed": float(len(passed) - sum(passed))}
