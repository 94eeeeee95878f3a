"""One sink for a run's metrics: `metrics.jsonl`, TensorBoard, Ray's metrics port, and trackers (`cluster.tracking`).

    sink.log("sft", 12, {"loss": 1.3, "tokens_per_s": 8000})

On by default. They appear on the node's metrics port as gauges `ray_dragoman_<metric>{run, stage}`
(Prometheus scrapes them; the dashboard's metrics page shows them), in `metrics.jsonl` one line a step,
and in `tensorboard/<stage>/`. `rewind` drops what a killed run logged after its last
checkpoint, so that a resumed run has every step once.
"""

import math
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.tracking import Trackers
from dragoman.files import append_lines, rewind


class MetricsSink:
    """The metrics of one run folder."""

    def __init__(self, folder: Path, run_name: str, trackers: Trackers | None = None) -> None:
        self.path = folder / "metrics.jsonl"
        self.run_name = run_name
        self._trackers = trackers or Trackers({})
        self._tensorboard_folder = folder / "tensorboard"
        self._writers: dict[str, Any] = {}
        self._gauges: dict[str, Any] = {}
        self._latest: dict[str, int] = {}

    def log(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """Record metrics of one step; those that are not finite stand in the file as null.

        What becomes known later gets a line of its own, with its step.
        """
        finite = {name: float(v) for name, v in values.items() if math.isfinite(v)}
        line = {"stage": stage, "step": step, "time": time.time()}
        line |= {name: finite.get(name) for name in values}
        append_lines(self.path, [line])
        self._trackers.log(stage, step, finite)
        for name, value in finite.items():
            self._tensorboard(stage).add_scalar(name, value, step)
            self._gauge(name).set(value, tags={"run": self.run_name, "stage": stage})
        self._latest[stage] = max(step, self._latest.get(stage, step))
        self._gauge("step").set(self._latest[stage], tags={"run": self.run_name, "stage": stage})

    def rewind(self, stage: str, step: int) -> None:
        """Forget what was logged for `stage` at steps >= `step`, in the file and in TensorBoard."""
        rewind(self.path, lambda line: line["stage"] != stage or line["step"] < step)
        self._latest.pop(stage, None)
        self._close(stage)
        self._tensorboard(stage, purge_step=step)

    def close(self) -> None:
        """Flush TensorBoard and the trackers."""
        for stage in list(self._writers):
            self._close(stage)
        self._trackers.close()

    def _close(self, stage: str) -> None:
        writer = self._writers.pop(stage, None)
        if writer is not None:
            writer.close()

    def _tensorboard(self, stage: str, purge_step: int | None = None) -> Any:
        """The writer of a stage: TensorBoard forgets later steps of a whole folder, so each stage has its own."""
        if stage not in self._writers:
            from torch.utils.tensorboard import SummaryWriter

            folder = self._tensorboard_folder / stage
            self._writers[stage] = SummaryWriter(str(folder), purge_step=purge_step, flush_secs=10)
        return self._writers[stage]

    def _gauge(self, name: str) -> Any:
        if name not in self._gauges:
            from ray.util.metrics import Gauge

            safe = "dragoman_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)
            self._gauges[name] = Gauge(safe, description=f"Dragoman: {name}", tag_keys=("run", "stage"))
        return self._gauges[name]
