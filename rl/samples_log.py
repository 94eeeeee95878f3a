"""`samples.jsonl`: every answer that was trained on, with every reward component. On by default."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster.metrics import rewind_lines
from rl.groups import Sample, ScoredGroup
from rl.training_batch import batch_advantages


class SamplesLog:
    """Appends one line a sample."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, step: int, groups: Sequence[ScoredGroup], advantage: str) -> None:
        """The groups of one step."""
        with self.path.open("a", encoding="utf-8") as handle:
            for group, advantages in zip(groups, batch_advantages(groups, advantage), strict=True):
                for sample in group.samples:
                    line = _line(step, group, sample, advantages.get(sample.index))
                    handle.write(json.dumps(line, ensure_ascii=False) + "\n")

    def rewind(self, step: int) -> None:
        """Forget steps >= `step`."""
        rewind_lines(self.path, lambda line: line["step"] < step)


def _line(step: int, group: ScoredGroup, sample: Sample, advantage: float | None) -> dict[str, Any]:
    done = sample.completion
    return {
        "step": step,
        "version": done.version_first,
        "version_last": done.version_last,
        "task": group.task.task,
        "id": group.task.id,
        "number": group.task.number,
        "sample": sample.index,
        "prompt": group.task.row["messages"][-1]["content"],
        "response": done.text,
        "tokens": len(done.token_ids),
        "finish_reason": done.finish_reason,
        "reward": sample.reward,
        "advantage": advantage,
        "components": sample.score.to_dict()["components"],
    }
