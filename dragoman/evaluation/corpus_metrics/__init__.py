"""Corpus metrics: one object each, by name, registrable from outside.

    find_metric("chrf++").measure(outcomes) -> MetricValue(name, value or None with its reason, signature, …)

A metric is the sum of counts over rows and a formula of the sums, so significance tests resample counts and score no
text twice. A name that no metric has and a reward kind has is the mean of that kind over the rows.
"""

from dragoman.evaluation.corpus_metrics.annotated import ANNOTATED
from dragoman.evaluation.corpus_metrics.audits import AUDITS
from dragoman.evaluation.corpus_metrics.base import CorpusMetric, RowMetric
from dragoman.evaluation.corpus_metrics.gated import GatedChrF
from dragoman.evaluation.corpus_metrics.pairwise import PAIRWISE
from dragoman.evaluation.corpus_metrics.rules import RULES
from dragoman.evaluation.corpus_metrics.sampled import Accuracy, BitsPerByte, Reward
from dragoman.evaluation.corpus_metrics.surface import SURFACE
from dragoman.evaluation.corpus_metrics.table import MetricError, find_metric, metric_names, register_metric

__all__ = ["CorpusMetric", "MetricError", "RowMetric", "find_metric", "metric_names", "register_metric"]

for _metric in (GatedChrF(), *SURFACE, *AUDITS, *ANNOTATED, *PAIRWISE, *RULES, Accuracy(), BitsPerByte(), Reward()):
    register_metric(_metric)
