"""Quality of a translation against references: sentence chrF, chrF++, BLEU and TER by sacrebleu, and exact match.

Values are sacrebleu's figures divided by 100, so 1.0 is the reference itself; TER, an error rate without upper
end, becomes 1 - min(TER, 100) / 100. Sources: chrF, Popović 2015; chrF++, Popović 2017; TER, Snover 2006;
sacrebleu, Post 2018. BLEU on one sentence uses effective order, as sacrebleu advises.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from rewards.records import Probe, RewardSpec, Row
from rewards.registry import reward

References = str | Sequence[str]


def as_list(reference: References) -> list[str]:
    """The references, of which there may be one."""
    return [reference] if isinstance(reference, str) else list(reference)


def check_reference(args: Mapping[str, Any]) -> None:
    """ValueError when the reference is not a non-empty text or list of them."""
    references = as_list(args["reference"])
    if not references or not all(isinstance(text, str) and text.strip() for text in references):
        raise ValueError("argument 'reference' must be a non-empty text, or a list of them")


def first_reference(spec: RewardSpec, row: Row) -> str | None:
    """The gold answer of a kind that pays a reference in full."""
    reference = spec.argument("reference", row)
    return as_list(reference)[0] if reference else None


def reference_cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """The right answer over and over: all of its n-grams are there."""
    gold = row.get("gold_response") or first_reference(spec, row)
    return [Probe("gold repeated", " ".join([gold] * 6))] if gold else []


@lru_cache(maxsize=64)
def _chrf(word_order: int) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF(word_order=word_order)


@lru_cache(maxsize=64)
def _bleu(tokenize: str) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize=tokenize, effective_order=True)


@lru_cache(maxsize=1)
def _ter() -> Any:
    from sacrebleu.metrics import TER

    return TER()


@reward("chrf", timeout_s=5, validate=check_reference, gold=first_reference, cheats=reference_cheats)
def chrf(response: str, reference: References) -> float:
    """Sentence chrF2 against one or several references, in [0, 1]."""
    return float(_chrf(0).sentence_score(response.strip(), as_list(reference)).score) / 100


@reward("chrf++", timeout_s=5, validate=check_reference, gold=first_reference, cheats=reference_cheats)
def chrf_plus_plus(response: str, reference: References) -> float:
    """Sentence chrF2++ (word order 2), in [0, 1]."""
    return float(_chrf(2).sentence_score(response.strip(), as_list(reference)).score) / 100


@reward("bleu", timeout_s=5, validate=check_reference, gold=first_reference, cheats=reference_cheats)
def bleu(response: str, reference: References, tokenize: str = "13a") -> float:
    """Sentence BLEU with effective order, in [0, 1]; `tokenize` is sacrebleu's (13a, zh, char, ja-mecab,
    ...).
    """
    return float(_bleu(tokenize).sentence_score(response.strip(), as_list(reference)).score) / 100


@reward("ter", timeout_s=5, validate=check_reference, gold=first_reference, cheats=reference_cheats)
def ter(response: str, reference: References) -> float:
    """1 - translation edit rate (edits per reference word, shifts included), cut off at 0; in [0, 1]."""
    score = float(_ter().sentence_score(response.strip(), as_list(reference)).score)
    return 1 - min(score, 100.0) / 100


@reward("exact_match", timeout_s=5, validate=check_reference, gold=first_reference, cheats=reference_cheats)
def exact_match(response: str, reference: References, ignore_case: bool = False) -> float:
    """1.0 when the response is one of the references after NFC and white-space normalisation."""
    return float(_canonical(response, ignore_case) in {_canonical(r, ignore_case) for r in as_list(reference)})


def _canonical(text: str, ignore_case: bool) -> str:
    flat = " ".join(unicodedata.normalize("NFC", text).split())
    return flat.casefold() if ignore_case else flat
