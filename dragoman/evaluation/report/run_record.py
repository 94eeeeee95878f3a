"""Read a run's folder as it stands, finished or not.

    runs/NAME/{recipe.yaml, lineage.json, metrics.jsonl, samples.jsonl, stages/STAGE/{manifest, evaluation}.json(l)}

A folder that `dragoman evaluate` wrote is read as a run of one stage.

Every file but the evaluations is optional. A line cut short by a kill is skipped and counted. Rollouts can be
many: about `limit` of them are kept, spread evenly over the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dragoman.errors import DragomanError
from dragoman.evaluation.outcomes import Evaluation, StageTitle
from dragoman.evaluation.run_logs import RolloutLine, StepLine, read_metrics, read_rollouts
from dragoman.files import FileError, read_json

ROLLOUT_LIMIT = 400


class RunRecordError(DragomanError):
    """A folder that holds no run: which folder, why, and what to do."""


@dataclass(frozen=True)
class RunRecord:
    """What a run left behind."""

    name: str
    stages: tuple[StageTitle, ...]
    """Of the latest recipe, in their order"""
    evaluations: tuple[Evaluation, ...]
    """In the order of the stages."""
    metrics: Mapping[str, Sequence[StepLine]]
    """Stage -> its lines of metrics.jsonl, in order."""
    rollouts: tuple[RolloutLine, ...]
    rollouts_total: int
    recipe: str
    manifests: Mapping[str, Mapping[str, Any]]
    skipped_lines: int

    def evaluation(self, stage: str) -> Evaluation | None:
        """A stage's evaluation, or None."""
        return next((found for found in self.evaluations if found.stage == stage), None)

    def title(self, stage: str) -> str:
        """A stage's name in words."""
        return next((known.title for known in self.stages if known.name == stage), stage)


def read_run(folder: Path, *, rollout_limit: int = ROLLOUT_LIMIT) -> RunRecord:
    """Everything a report needs; RunRecordError when the folder holds neither evaluations nor metrics."""
    if not folder.is_dir():
        raise RunRecordError(f"run folder {folder} is missing: start the run, or name another folder")
    stages = _lineage(folder)
    names = [stage.name for stage in stages]
    metrics, skipped = read_metrics(folder / "metrics.jsonl", names)
    rollouts, total, torn = read_rollouts(folder / "samples.jsonl", rollout_limit)
    evaluations = tuple(_read_evaluations(folder / "stages", names)) or _own_evaluation(folder)
    stages = stages or tuple(evaluation.shown for evaluation in evaluations)
    if not evaluations and not metrics:
        raise RunRecordError(f"{folder} holds no evaluation and no metrics yet: run a stage first")
    recipe = folder / "recipe.yaml"
    return RunRecord(
        name=folder.resolve().name,
        stages=stages,
        evaluations=evaluations,
        metrics=metrics,
        rollouts=tuple(rollouts),
        rollouts_total=total,
        recipe=recipe.read_text(encoding="utf-8") if recipe.is_file() else "",
        manifests={name: found for name in names if (found := _manifest(folder / "stages" / name))},
        skipped_lines=skipped + torn,
    )


def _lineage(folder: Path) -> tuple[StageTitle, ...]:
    """Stages of the latest recipe, where the run says so (others are left over from earlier recipes); else all."""
    found = read_json(folder / "lineage.json")
    if found is not None:
        return TypeAdapter(tuple[StageTitle, ...]).validate_python(found["stages"])
    stages = folder / "stages"
    names = sorted(path.name for path in stages.iterdir() if path.is_dir()) if stages.is_dir() else []
    return tuple(StageTitle(name, name) for name in names)


def _read_evaluations(folder: Path, names: Sequence[str]) -> Iterator[Evaluation]:
    for name in names:
        if (folder / name / "evaluation.json").is_file() and (folder / name / "evaluation.jsonl").is_file():
            yield Evaluation.load(folder / name)


def _own_evaluation(folder: Path) -> tuple[Evaluation, ...]:
    """That of a folder without stages."""
    there = all((folder / name).is_file() for name in ("evaluation.json", "evaluation.jsonl"))
    return (Evaluation.load(folder),) if there else ()


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        return read_json(folder / "manifest.json") or {}
    except FileError:
        return {}  # shown beside the figures only; the pipeline itself refuses such a stage
