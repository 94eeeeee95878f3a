"""One sink for a run's figures: `metrics.jsonl`, TensorBoard and Ray's metrics port.

    sink.log("sft", 12, {"loss": 1.3, "tokens_per_s": 8000})

On by default. Figures appear on the node's metrics port as gauges `ray_dragoman_<figure>{run, stage}`
(Prometheus scrapes them; the dashboard's metrics page shows them), in `metrics.jsonl` one line a step,
and in `tensorboard/` as `<stage>/<figure>`. `rewind` drops what a killed run logged after its last
checkpoint, so that a resumed run has every step once.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class MetricsSink:
    """Figures of one run folder."""

    def __init__(self, folder: Path, run_name: str) -> None:
        self.path = folder / "metrics.jsonl"
        self.run_name = run_name
        self._tensorboard_folder = folder / "tensorboard"
        self._writer: Any = None
        self._gauges: dict[str, Any] = {}

    def log(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """Record figures of one step; figures that are not finite are kept in the file as null."""
        finite = {name: float(v) for name, v in values.items() if math.isfinite(v)}
        line = {"stage": stage, "step": step, "time": time.time()}
        line |= {name: finite.get(name) for name in values}
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")
        for name, value in finite.items():
            self._tensorboard().add_scalar(f"{stage}/{name}", value, step)
            self._gauge(name).set(value, tags={"run": self.run_name, "stage": stage})
        self._gauge("step").set(step, tags={"run": self.run_name, "stage": stage})

    def rewind(self, stage: str, step: int) -> None:
        """Forget what was logged for `stage` at steps >= `step`."""
        rewind_lines(self.path, lambda line: line["stage"] != stage or line["step"] < step)

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


def rewind_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Keep the lines of a JSONL file that `keep` accepts, atomically; a torn last line is dropped."""
    if not path.exists():
        return
    lines = []
    for text in path.read_text(encoding="utf-8").split("\n"):  # answers may hold other line separators
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue  # the process died while writing it
        if keep(line):
            lines.append(text)
    aside = path.with_name(path.name + ".tmp")
    aside.write_text("".join(text + "\n" for text in lines), encoding="utf-8")
    os.replace(aside, path)
