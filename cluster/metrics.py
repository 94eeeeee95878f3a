"""One sink for a run's metrics: `metrics.jsonl`, TensorBoard and Ray's metrics port.

    sink.log("sft", 12, {"loss": 1.3, "tokens_per_s": 8000})

On by default. They appear on the node's metrics port as gauges `ray_dragoman_<metric>{run, stage}`
(Prometheus scrapes them; the dashboard's metrics page shows them), in `metrics.jsonl` one line a step,
and in `tensorboard/` as `<stage>/<metric>`. `rewind` drops what a killed run logged after its last
checkpoint, so that a resumed run has every step once.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dragoman.files import append_lines, rewind


class MetricsSink:
    """The metrics of one run folder."""

    def __init__(self, folder: Path, run_name: str) -> None:
        self.path = folder / "metrics.jsonl"
        self.run_name = run_name
        self._tensorboard_folder = folder / "tensorboard"
        self._writer: Any = None
        self._gauges: dict[str, Any] = {}

    def log(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """Record the metrics of one step; those that are not finite stand in the file as null."""
        finite = {name: float(v) for name, v in values.items() if math.isfinite(v)}
        line = {"stage": stage, "step": step, "time": time.time()}
        line |= {name: finite.get(name) for name in values}
        append_lines(self.path, [line])
        for name, value in finite.items():
            self._tensorboard().add_scalar(f"{stage}/{name}", value, step)
            self._gauge(name).set(value, tags={"run": self.run_name, "stage": stage})
        self._gauge("step").set(step, tags={"run": self.run_name, "stage": stage})

    def rewind(self, stage: str, step: int) -> None:
        """Forget what was logged for `stage` at steps >= `step`."""
        rewind(self.path, lambda line: line["stage"] != stage or line["step"] < step)

    def close(self) -> None:
        """Flush TensorBoard."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _tensorboard(self) -> Any:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._tensorboard_folder), flush_secs=10)
        return self._writer

    def _gauge(self, name: str) -> Any:
        if name not in self._gauges:
            from ray.util.metrics import Gauge

            safe = "dragoman_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)
            self._gauges[name] = Gauge(safe, description=f"Dragoman: {name}", tag_keys=("run", "stage"))
        return self._gauges[name]
