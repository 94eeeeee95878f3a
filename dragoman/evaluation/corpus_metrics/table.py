"""The table of corpus metrics; whoever brings one registers it here."""

from dragoman.errors import DragomanError
from dragoman.evaluation.corpus_metrics.base import CorpusMetric
from dragoman.evaluation.corpus_metrics.kinds import KindMetric
from dragoman.evaluation.corpus_metrics.sampled import PassAtK
from rewards.errors import nearest
from rewards.registry import known_kinds


class MetricError(DragomanError):
    """A metric that is not known."""


_METRICS: dict[str, CorpusMetric] = {}


def register_metric(metric: CorpusMetric) -> None:
    """Make a metric known under its name; suite files and `--metric` name it from then on."""
    _METRICS[metric.name] = metric


def metric_names() -> list[str]:
    """Names of all registered metrics."""
    return sorted(_METRICS)


def find_metric(name: str) -> CorpusMetric:
    """The metric of a name, pass@K for any K, or the mean of a reward kind; MetricError names the nearest."""
    if name in _METRICS:
        return _METRICS[name]
    if name.startswith("pass@") and name[5:].isdecimal() and int(name[5:]):
        return PassAtK(int(name[5:]))
    if name in known_kinds():
        return KindMetric(name)
    raise MetricError(f"unknown metric {name!r}{nearest(name, [*_METRICS, *known_kinds()])}")
