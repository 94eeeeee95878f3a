"""Metrics that compare characters or words with references: sacrebleu's figures, with its signatures.

| name | sacrebleu | counts of a row |
|---|---|---|
| `chrf`, `chrf++` | CHRF, word order 0 and 2 | n-grams in the answer, in the reference, and in both, by order |
| `bleu`, `spbleu` | BLEU | lengths, and matching and all n-grams to 4 |
| `ter` | TER | edits, reference length |

Figures are computed by sacrebleu itself on the texts as they are; `score` restates its formulas in numpy for the many
resamples of a test, and tests hold both equal. BLEU's tokenizer is that of the target language: `zh` for Chinese,
MeCab's for Japanese and Korean where it is installed, characters for other scripts without spaces, else 13a. Rows of
several tokenizers have no common BLEU; each direction has its own.
"""

import importlib.util
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.evaluation.corpus_metrics.base import CorpusMetric, Counts, Scores
from dragoman.evaluation.outcomes import MetricValue, Outcome
from dragoman.text.languages import base_code

_BY_CHARACTER = ("ja", "th", "lo", "km", "my")
_MECAB = {"ja": ("ja-mecab", "MeCab"), "ko": ("ko-mecab", "mecab_ko")}
_NGRAMS = 4


class SacrebleuMetric(CorpusMetric):
    """A metric of sacrebleu's."""

    @abstractmethod
    def scorer(self, outcomes: Sequence[Outcome]) -> Any:
        """sacrebleu's object for these rows."""

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        return "" if all(outcome.references for outcome in outcomes) else "there is a row without a reference"

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        responses, references = [o.response for o in outcomes], reference_streams(outcomes)
        found = self.scorer(outcomes)._extract_corpus_statistics(responses, references)
        return np.asarray(found, dtype=np.float64)

    def measure(self, outcomes: Sequence[Outcome]) -> MetricValue:
        reason = "no rows" if not outcomes else self.fault(outcomes)
        value, signature = None, ""
        if not reason:
            scorer = self.scorer(outcomes)
            value = float(scorer.corpus_score([o.response for o in outcomes], reference_streams(outcomes)).score)
            signature = str(scorer.get_signature())
        return MetricValue(self.name, value, reason, signature, self.higher_is_better, self.unit)


def reference_streams(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """References as sacrebleu takes them: one list for each, None where a row has fewer."""
    return [list(stream) for stream in zip_longest(*(outcome.references for outcome in outcomes))]


class ChrF(SacrebleuMetric):
    """Character n-grams to 6, and word n-grams to `word_order`."""

    def __init__(self, name: str, title: str, word_order: int) -> None:
        self.name, self.title, self.word_order = name, title, word_order

    def scorer(self, outcomes: Sequence[Outcome]) -> Any:
        return _sacrebleu("CHRF", word_order=self.word_order)

    def score(self, summed: Counts) -> Scores:
        return chrf_scores(summed)


def chrf_scores(summed: Counts, beta: float = 2.0) -> Scores:
    """chrF of each row of summed counts (3 for each order): mean precision and recall over the orders that both sides
    have, as in sacrebleu without epsilon smoothing."""
    hypothesis, reference, matching = (summed.reshape(len(summed), -1, 3)[:, :, k] for k in range(3))
    present = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=1), 1)
    precision = np.where(present, matching / np.maximum(hypothesis, 1), 0).sum(axis=1) / orders
    recall = np.where(present, matching / np.maximum(reference, 1), 0).sum(axis=1) / orders
    denominator = beta**2 * precision + recall
    score = (1 + beta**2) * precision * recall / np.where(denominator > 0, denominator, 1)
    return np.asarray(100 * score, dtype=np.float64)


class Bleu(SacrebleuMetric):
    """BLEU with exponential smoothing, sacrebleu's defaults."""

    name, title = "bleu", "BLEU"

    def scorer(self, outcomes: Sequence[Outcome]) -> Any:
        (tokenizer,) = {tokenizer_of(outcome.target_language or "") for outcome in outcomes}
        return _sacrebleu("BLEU", tokenize=tokenizer)

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        needed = sorted({tokenizer_of(outcome.target_language or "") for outcome in outcomes})
        if len(needed) > 1:
            return f"directions need different tokenizers ({', '.join(needed)}); see the directions"
        return super().fault(outcomes)

    def score(self, summed: Counts) -> Scores:
        return bleu_scores(summed)


def bleu_scores(summed: Counts) -> Scores:
    """BLEU of each row of [answer length, reference length, matching n-grams, all n-grams].

    Brevity penalty times the geometric mean of the precisions; a precision without a match is smoothed by halving, as
    NIST's mteval does ("exp"). Without any match, or without n-grams of an order, it is 0.
    """
    answer, reference = summed[:, 0], summed[:, 1]
    matching, possible = summed[:, 2 : 2 + _NGRAMS], summed[:, 2 + _NGRAMS :]
    halvings = 2.0 ** np.cumsum((matching == 0) & (possible > 0), axis=1)
    exact = matching / np.maximum(possible, 1)
    precision = np.where(matching > 0, exact, 1 / (halvings * np.maximum(possible, 1)))
    whole = (possible > 0).all(axis=1) & (matching > 0).any(axis=1)
    brevity = np.where(answer < reference, np.exp(1 - reference / np.maximum(answer, 1e-9)), 1.0)
    mean = np.exp(np.log(np.maximum(precision, 1e-300)).mean(axis=1))
    return np.asarray(np.where(whole & (answer > 0), 100 * brevity * mean, 0.0), dtype=np.float64)


def tokenizer_of(language: str) -> str:
    """sacrebleu's tokenizer for a target language, of those that this machine has."""
    base = base_code(language) if language else ""
    if base in _MECAB and importlib.util.find_spec(_MECAB[base][1]) is not None:
        return _MECAB[base][0]
    return "zh" if base == "zh" else "char" if base in _BY_CHARACTER else "13a"


class SpBleu(Bleu):
    """BLEU on the subwords of FLORES-200's SentencePiece model, the same for all languages."""

    name, title = "spbleu", "spBLEU"

    def scorer(self, outcomes: Sequence[Outcome]) -> Any:
        return _sacrebleu("BLEU", tokenize="flores200")

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        from sacrebleu.tokenizers.tokenizer_spm import SPM_MODELS
        from sacrebleu.utils import SACREBLEU_DIR

        path = Path(SACREBLEU_DIR) / "models" / Path(SPM_MODELS["flores200"]["url"]).name
        if not path.is_file():
            return (
                f"sacrebleu's SentencePiece model of FLORES-200 is not on this machine; put {path.name} into "
                "$SACREBLEU/models (by default ~/.sacrebleu/models)"
            )
        return SacrebleuMetric.fault(self, outcomes)


class Ter(SacrebleuMetric):
    """Edits for each word of the reference, in per cent; Asian texts by character."""

    name, title, higher_is_better = "ter", "TER", False

    def scorer(self, outcomes: Sequence[Outcome]) -> Any:
        asian = {base_code(outcome.target_language or "") for outcome in outcomes} & {"zh", "ja", "ko"}
        return _sacrebleu("TER", normalized=bool(asian), asian_support=bool(asian))

    def score(self, summed: Counts) -> Scores:
        """As sacrebleu: 100 for edits against an empty reference."""
        edits, length = summed[:, 0], summed[:, 1]
        share = np.where(length > 0, edits / np.where(length > 0, length, 1), (edits > 0).astype(np.float64))
        return np.asarray(100 * share, dtype=np.float64)


@lru_cache(maxsize=64)
def _sacrebleu(name: str, **chosen: Any) -> Any:
    from sacrebleu import metrics

    return getattr(metrics, name)(**chosen)


SURFACE = (ChrF("chrf", "chrF", 0), ChrF("chrf++", "chrF++", 2), Bleu(), SpBleu(), Ter())
