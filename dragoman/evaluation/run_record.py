"""Read a run's folder as it stands, finished or not.

    runs/NAME/{recipe.yaml, metrics.jsonl, samples.jsonl, stages/STAGE/{manifest.json, evaluation.json(l)}}

Every file but the evaluations is optional. A line cut short by a kill is skipped and counted. Rollouts can be
many: about `limit` of them are kept, spread evenly over the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.evaluation.comparison import STAGE_NAMES
from dragoman.evaluation.outcomes import Evaluation

ROLLOUT_LIMIT = 400


class RunFolderError(ValueError):
    """A folder that holds no run: which folder, why, and what to do."""


@dataclass(frozen=True)
class RunRecord:
    """What a run left behind."""

    name: str
    evaluations: tuple[Evaluation, ...]
    """In the order of the stages."""
    metrics: dict[str, list[dict[str, Any]]]
    """Stage -> its lines of metrics.jsonl, in order."""
    rollouts: tuple[dict[str, Any], ...]
    rollouts_total: int
    recipe: str
    manifests: dict[str, dict[str, Any]]
    skipped_lines: int

    def evaluation(self, stage: str) -> Evaluation | None:
        """A stage's evaluation, or None."""
        return next((found for found in self.evaluations if found.stage == stage), None)


def stage_order(stages: Iterator[str] | list[str]) -> list[str]:
    """Known stages in the recipe's order, then any others by name."""
    known = list(STAGE_NAMES)
    return sorted(stages, key=lambda stage: (known.index(stage) if stage in known else len(known), stage))


def _parse(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _lines(path: Path) -> Iterator[str]:
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as stream:
            yield from (line for line in stream if line.strip())


def _read_metrics(path: Path) -> tuple[dict[str, list[dict[str, Any]]], int]:
    stages: dict[str, list[dict[str, Any]]] = {}
    skipped = 0
    for line in _lines(path):
        parsed = _parse(line)
        if parsed is None:
            skipped += 1
        else:
            stages.setdefault(str(parsed.get("stage", "")), []).append(parsed)
    return {stage: stages[stage] for stage in stage_order(list(stages))}, skipped


def _read_rollouts(path: Path, limit: int) -> tuple[list[dict[str, Any]], int, int]:
    """Rollouts spread over the file, how many there are, and how many kept lines were cut short."""
    total = sum(1 for _ in _lines(path))
    stride = max(1, -(-total // limit))
    kept = [_parse(line) for number, line in enumerate(_lines(path)) if number % stride == 0]
    return [found for found in kept if found is not None], total, kept.count(None)


def _read_stages(folder: Path) -> tuple[list[Evaluation], dict[str, dict[str, Any]]]:
    evaluations, manifests = [], {}
    names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    for name in stage_order(names):
        stage = folder / name
        if (stage / "evaluation.json").is_file() and (stage / "evaluation.jsonl").is_file():
            found = Evaluation.load(stage)
            evaluations.append(Evaluation(name, found.suites, found.outcomes))
        if (stage / "manifest.json").is_file():
            manifests[name] = _parse((stage / "manifest.json").read_text(encoding="utf-8")) or {}
    return evaluations, manifests


def _lineage(folder: Path) -> set[str] | None:
    """Stages of the latest recipe, where the run says so; others are left over from earlier recipes."""
    path = folder / "lineage.json"
    return set(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def read_run(folder: Path, *, rollout_limit: int = ROLLOUT_LIMIT) -> RunRecord:
    """Everything a report needs; RunFolderError when the folder holds neither evaluations nor metrics."""
    if not folder.is_dir():
        raise RunFolderError(f"run folder {folder} is missing: start the run, or name another folder")
    evaluations, manifests = _read_stages(folder / "stages")
    lineage = _lineage(folder)
    if lineage is not None:
        evaluations = [found for found in evaluations if found.stage in lineage]
    metrics, skipped = _read_metrics(folder / "metrics.jsonl")
    rollouts, total, cut = _read_rollouts(folder / "samples.jsonl", rollout_limit)
    if not evaluations and not metrics:
        raise RunFolderError(f"{folder} holds no evaluation and no metrics yet: run a stage first")
    recipe = folder / "recipe.yaml"
    return RunRecord(
        name=folder.resolve().name,
        evaluations=tuple(evaluations),
        metrics=metrics,
        rollouts=tuple(rollouts),
        rollouts_total=total,
        recipe=recipe.read_text(encoding="utf-8") if recipe.is_file() else "",
        manifests=manifests,
        skipped_lines=skipped + cut,
    )
