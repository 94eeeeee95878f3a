"""Metrics of verified tasks: accuracy of the answer, and the unbiased pass@k of several samples.

pass@k = E[1 - C(n - c, k) / C(n, k)] over rows with n samples of which c pass (Chen et al. 2021, arXiv 2107.03374,
equation 1), in the numerically stable product of the paper's figure 3. Without samples the greedy answer is the one
sample, and only pass@1 exists.
"""

import math
from collections.abc import Sequence

import numpy as np

from dragoman.evaluation.corpus_metrics.base import CorpusMetric, Counts, RowMetric, Scores
from dragoman.evaluation.outcomes import Outcome


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that of k out of n samples at least one passes, when c of them do; ValueError for k > n."""
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"pass@k needs 1 <= k <= n and 0 <= c <= n, not n={n}, c={c}, k={k}")
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))


class PassAtK(RowMetric):
    """The mean of the estimate over rows."""

    def __init__(self, k: int) -> None:
        self.k, self.name, self.title = k, f"pass@{k}", f"pass@{k}"
        self.missing = f"no row has {k} judged samples; ask for --samples {k} or more"

    def row_value(self, outcome: Outcome) -> float | None:
        judged = [s.correct for s in outcome.samples if s.correct is not None]
        if not outcome.samples and outcome.correct is not None:
            judged = [outcome.correct]
        return pass_at_k(len(judged), sum(judged), self.k) if len(judged) >= self.k else None


class Accuracy(RowMetric):
    """Share of answers with full marks."""

    name, title = "accuracy", "accuracy"
    missing = "no answer could be judged"

    def row_value(self, outcome: Outcome) -> float | None:
        return None if outcome.correct is None else float(outcome.correct)


class BitsPerByte(CorpusMetric):
    """-log2 p of all texts over all their bytes; what perplexity is without a tokenizer in it."""

    name, title, higher_is_better = "bits_per_byte", "bits a byte", False
    unit = "reward"

    def counts(self, outcomes: Sequence[Outcome]) -> Counts:
        read = [(o.reference_bits, len(o.reference.encode())) for o in outcomes]
        return np.asarray([(0, 0) if bits is None else (bits, size) for bits, size in read], dtype=np.float64)

    def score(self, summed: Counts) -> Scores:
        return np.asarray(summed[:, 0] / np.maximum(summed[:, 1], 1), dtype=np.float64)

    def fault(self, outcomes: Sequence[Outcome]) -> str:
        known = any(outcome.reference_bits is not None for outcome in outcomes)
        return "" if known else "no text has log-probabilities: a file of outputs has none, nor has a text too long"

    def signature(self, outcomes: Sequence[Outcome]) -> str:
        known = sum(outcome.reference_bits is not None for outcome in outcomes)
        return "" if known == len(outcomes) else f"rows:{known} of {len(outcomes)}"


class Reward(RowMetric):
    """Mean reward of the answer."""

    name, title = "reward", "reward"
    unit = "reward"
    missing = "no reward could be computed"

    def row_value(self, outcome: Outcome) -> float | None:
        return outcome.reward
