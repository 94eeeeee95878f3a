"""Counters that Ray's dashboard and Prometheus show: checks by kind and status, and how long they took."""

from collections import Counter, defaultdict, deque
from typing import Any

from rewards.records import RewardResult

BOUNDARIES_S = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
WINDOW = 10_000
_TAGS = ("run", "kind", "status")


class CheckMetrics:
    """Counts checks for `stats()` and, when Ray runs, for `dragoman_reward_*` in its metrics."""

    def __init__(self, run_name: str) -> None:
        from ray.util import metrics

        self._run = run_name
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._latencies: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WINDOW))
        self._counter = metrics.Counter("dragoman_reward_checks_total", "Finished reward checks.", _TAGS)
        self._histogram = metrics.Histogram(
            "dragoman_reward_latency_seconds", "Time of one reward check.", BOUNDARIES_S, _TAGS
        )

    def record(self, result: RewardResult) -> None:
        """Count a finished check and its latency, here and in Ray's metrics."""
        self._counts[result.kind][result.status] += 1
        self._latencies[result.kind].append(result.latency_s)
        tags = {"run": self._run, "kind": result.kind, "status": result.status}
        self._counter.inc(1, tags)
        self._histogram.observe(max(result.latency_s, 1e-9), tags)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """{kind: {"counts": {status: n}, "mean_s": ..., "p99_s": ...}} over the last 10,000 checks of the kind."""
        return {
            kind: {
                "counts": dict(self._counts[kind]),
                "mean_s": sum(times) / len(times),
                "p99_s": times[min(len(times) - 1, int(0.99 * len(times)))],
            }
            for kind, times in ((kind, sorted(self._latencies[kind])) for kind in sorted(self._counts))
        }
