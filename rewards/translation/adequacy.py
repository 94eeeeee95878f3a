"""`adequacy`: how near the response's meaning is to the source's, by multilingual sentence embeddings.

Without a reference the cosine of source and response is mapped linearly, `LOW` to 0 and `HIGH` to 1. With one, the
reference sets the scale: its own cosine to the source earns 1, and the mean with the cosine to the reference itself
is taken, so that the reference earns 1 (less only when its own cosine to the source is below `SMALLEST_ANCHOR`).

`LOW` and `HIGH` are the medians measured on 11 language pairs of user-interface and documentation sentences
(bench/adequacy.py, docs/rewards/adequacy.md): unrelated sentences 0.08, professional translations 0.77.

A copy of the source has cosine 1: this reward needs the gates `direction` and `source_copy`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rewards.models.embeddings import check_languages, embed, prepare_encoder, unsupported
from rewards.records import RewardResult
from rewards.registry import each, reward
from rewards.translation.quality import References, as_list, check_texts, first_reference, reference_cheats

LOW = 0.08
HIGH = 0.77
SMALLEST_ANCHOR = 0.4
"""A reference whose own cosine is lower is taken at this: it says little about the source."""


def check_arguments(args: Mapping[str, Any]) -> None:
    """ValueError when the source, the languages or the reference are malformed."""
    check_texts(args)
    check_languages(args.get("languages"))


@reward(
    "adequacy",
    timeout_s=60,
    batched=True,
    batch_size=64,
    validate=check_arguments,
    prepare=prepare_encoder,
    gold=first_reference,
    cheats=reference_cheats,
)
def adequacy(
    response: list[str],
    source: list[str],
    languages: list[Sequence[str]],
    reference: list[References | None] = each(None),
) -> list[RewardResult]:
    """Similarity of meaning in [0, 1]; `languages` are the codes of source and target."""
    references = [as_list(given) if given is not None else [] for given in reference]
    cosines = _Cosines([*response, *source, *(text for known in references for text in known)])
    results = []
    for text, origin, codes, known in zip(response, source, languages, references, strict=True):
        unknown = unsupported(codes)
        if unknown:
            detail = f"the sentence encoder does not know {', '.join(unknown)}"
            results.append(RewardResult("adequacy", None, "not_applicable", detail))
        elif not text.strip():
            results.append(RewardResult("adequacy", 0.0, "ok", "empty response"))
        else:
            results.append(_judge(cosines, text, origin, known))
    return results


def calibrated(cosine: float, low: float = LOW, high: float = HIGH) -> float:
    """0 at `low` and below, 1 at `high` and above, linear between."""
    return min(1.0, max(0.0, (cosine - low) / (high - low)))


class _Cosines:
    """Cosine of any two of the texts, each embedded once."""

    def __init__(self, texts: Sequence[str]) -> None:
        distinct = list(dict.fromkeys(texts))
        self._vectors = dict(zip(distinct, embed(distinct), strict=True))

    def __call__(self, first: str, second: str) -> float:
        return float(self._vectors[first] @ self._vectors[second])


def _judge(cosines: _Cosines, text: str, source: str, references: Sequence[str]) -> RewardResult:
    to_source = cosines(text, source)
    if not references:
        return RewardResult("adequacy", calibrated(to_source), "ok", f"cosine to the source {to_source:.2f}")
    values = []
    for one in references:
        anchor = max(SMALLEST_ANCHOR, cosines(one, source))
        values.append((calibrated(to_source, high=anchor) + calibrated(cosines(text, one), high=1.0)) / 2)
    nearest = max(cosines(text, one) for one in references)
    detail = f"cosine to the source {to_source:.2f}, to the reference {nearest:.2f}"
    return RewardResult("adequacy", max(values), "ok", detail)
