"""Quality of a translation against references: sentence chrF, chrF++, BLEU and TER by sacrebleu, and exact match.

Both sides are compared in one Unicode form (dragoman/text/normalisation.py). Values are sacrebleu's figures divided
by 100, so 1.0 is the reference itself; TER, an error rate without upper end, becomes 1 - min(TER, 100) / 100.
Sources: chrF, Popović 2015; chrF++, Popović 2017; TER, Snover 2006; sacrebleu, Post 2018. BLEU on one sentence uses
effective order, as sacrebleu advises; where the reference's script writes without spaces, BLEU and TER count
characters (sacrebleu's tokenizers `zh` and `char`, TER's `asian_support`).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from dragoman.text.normalisation import normalised
from dragoman.text.scripts import is_spaceless, script_counts
from rewards.records import Probe, RewardSpec, Row
from rewards.registry import Function, reward

References = str | Sequence[str]


def as_list(reference: References) -> list[str]:
    """The references, of which there may be one."""
    return [reference] if isinstance(reference, str) else list(reference)


def check_reference(args: Mapping[str, Any]) -> None:
    """ValueError when the reference is not a non-empty text or list of them."""
    references = as_list(args["reference"])
    if not references or not all(isinstance(text, str) and text.strip() for text in references):
        raise ValueError("argument 'reference' must be a non-empty text, or a list of them")


def check_source(args: Mapping[str, Any]) -> None:
    """ValueError when the source is no text, or empty."""
    if not isinstance(args.get("source"), str) or not args["source"].strip():
        raise ValueError("argument 'source' must be the source text, and not empty")


def check_texts(args: Mapping[str, Any]) -> None:
    """ValueError when the source is malformed, or the reference where there is one."""
    check_source(args)
    if args.get("reference") is not None:
        check_reference(args)


def first_reference(spec: RewardSpec, row: Row) -> str | None:
    """The gold answer of a kind that pays a reference in full."""
    reference = spec.argument("reference", row)
    return as_list(reference)[0] if reference else None


def reference_cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """The right answer over and over: all of its n-grams are there."""
    gold = row.get("gold_response") or first_reference(spec, row)
    return [Probe("gold repeated", " ".join([gold] * 6))] if gold else []


def against_reference(name: str, prepare: Callable[..., None] | None = None) -> Callable[[Function], Function]:
    """Register a kind that compares with a reference: this one pays the reference in full."""
    return reward(
        name, timeout_s=5, validate=check_reference, prepare=prepare, gold=first_reference, cheats=reference_cheats
    )


@lru_cache(maxsize=64)
def _metric(name: str, **options: Any) -> Any:
    from sacrebleu import metrics

    return getattr(metrics, name)(**options)


def sentence_score(metric: str, response: str, references: Sequence[str], **options: Any) -> float:
    """A sentence's figure by one of sacrebleu's metrics, from 0 to 100."""
    texts = [normalised(text).strip() for text in (response, *references)]
    return float(_metric(metric, **options).sentence_score(texts[0], texts[1:]).score)


@against_reference("chrf")
def chrf(response: str, reference: References) -> float:
    """Sentence chrF2 against one or several references, in [0, 1]."""
    return sentence_score("CHRF", response, as_list(reference)) / 100


@against_reference("chrf++")
def chrf_plus_plus(response: str, reference: References) -> float:
    """Sentence chrF2++ (word order 2), in [0, 1]."""
    return sentence_score("CHRF", response, as_list(reference), word_order=2) / 100


@against_reference("bleu")
def bleu(response: str, reference: References, tokenize: str | None = None) -> float:
    """Sentence BLEU with effective order, in [0, 1]; `tokenize` is sacrebleu's (13a, zh, char, ja-mecab, ...)."""
    references = as_list(reference)
    chosen = tokenize or _tokenizer(references[0])
    return sentence_score("BLEU", response, references, tokenize=chosen, effective_order=True) / 100


def _tokenizer(text: str) -> str:
    """`13a`; Chinese has its own, other scripts without spaces count characters."""
    if not is_spaceless(text):
        return "13a"
    return "zh" if script_counts(text).keys() <= {"CJK", "BOPOMOFO", "LATIN"} else "char"


@against_reference("ter")
def ter(response: str, reference: References) -> float:
    """1 - translation edit rate (edits per reference word, shifts included), cut off at 0; in [0, 1]."""
    references = as_list(reference)
    options = {"normalized": True, "asian_support": True} if is_spaceless(references[0]) else {}
    return 1 - min(sentence_score("TER", response, references, **options), 100.0) / 100


@against_reference("exact_match")
def exact_match(response: str, reference: References, ignore_case: bool = False) -> float:
    """1.0 when the response is one of the references after Unicode and white-space normalisation."""
    return float(_canonical(response, ignore_case) in {_canonical(r, ignore_case) for r in as_list(reference)})


def _canonical(text: str, ignore_case: bool) -> str:
    flat = " ".join(normalised(text).split())
    return flat.casefold() if ignore_case else flat
