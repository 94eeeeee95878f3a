"""Corpus chrF (Popović 2015), and the counts it is made of.

sacrebleu computes both. The counts of a segment (n-grams in the hypothesis, in the reference, and matching, for each
order) add up over a corpus, so a bootstrap resamples segments without counting n-grams again: `corpus_scores` takes
summed counts of many resamples at once. It restates sacrebleu's formula in numpy, because sacrebleu scores one corpus
at a time; a test holds the two equal. Texts are compared in one Unicode form, as the reward `chrf` compares them
(dragoman/text/normalisation.py).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics import CHRF

from dragoman.text.normalisation import normalised

Counts = NDArray[np.float64]
"""(segments, 3 x order): hypothesis, reference and matching n-grams of order 1, then of order 2, ..."""


@lru_cache(maxsize=1)
def metric() -> CHRF:
    """chrF2: character n-grams to 6, no words, beta 2 (sacrebleu's defaults)."""
    return CHRF()


def corpus_chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float | None:
    """sacrebleu's corpus chrF on its scale of 0 to 100; None for no segments."""
    if not hypotheses:
        return None
    return float(metric().corpus_score(_one_form(hypotheses), [_one_form(references)]).score)


def segment_counts(hypotheses: Sequence[str], references: Sequence[str]) -> Counts:
    """Counts of every segment, shape (segments, 3 x order)."""
    counts = metric()._extract_corpus_statistics(_one_form(hypotheses), [_one_form(references)])
    return np.asarray(counts, dtype=np.float64)


def _one_form(texts: Sequence[str]) -> list[str]:
    return [normalised(text) for text in texts]


def corpus_scores(summed: Counts) -> NDArray[np.float64]:
    """chrF of each row of summed counts, shape (corpora, 3 x order) -> (corpora,).

    Mean precision and recall over the orders, combined with beta = 2; orders in which the hypothesis or the
    reference has no n-gram are left out, as in sacrebleu without epsilon smoothing.
    """
    hypothesis, reference, matching = (summed.reshape(len(summed), -1, 3)[:, :, k] for k in range(3))
    present = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=1), 1)
    precision = np.where(present, matching / np.maximum(hypothesis, 1), 0).sum(axis=1) / orders
    recall = np.where(present, matching / np.maximum(reference, 1), 0).sum(axis=1) / orders
    weight = metric().beta ** 2
    denominator = weight * precision + recall
    score = (1 + weight) * precision * recall / np.where(denominator > 0, denominator, 1)
    return np.asarray(100 * score, dtype=np.float64)
