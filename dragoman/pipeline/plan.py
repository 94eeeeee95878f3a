"""The plan of a run: every stage with its parent, its fingerprint, and whether it must be built.

    data -> base -> cpt -> sft -> lat -> preference -> rl        (stages the recipe leaves out are skipped)

Like make: a stage is reused when its manifest carries the fingerprint it would have now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.data.rows import DataError
from dragoman.pipeline.manifest import file_hash, fingerprint, read_manifest
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import Recipe, RecipeError

NOT_THE_RESULT = {"checkpoint_every", "deadline_s", "agreement_threshold", "max_refill_factor"}
"""Keys that decide when a run stops or warns, not what it makes."""


@dataclass(frozen=True)
class PlannedStage:
    """One stage of a run."""

    name: str
    parent: str | None
    fingerprint: str
    ready: bool
    """Its manifest matches: nothing to do"""
    evaluated: bool
    """Its evaluation matches too"""
    settings: dict[str, Any]
    """What the fingerprint covers: the resolved settings"""
    data: dict[str, str]
    """and the hashes of the files it reads"""


def data_folder(recipe: Recipe, folder: RunFolder) -> Path:
    """Where the rows are: the recipe's own folder, or the run's."""
    return Path(recipe.data.path).expanduser().resolve() if recipe.data.path else folder.data


def data_fingerprint(recipe: Recipe) -> str:
    """Of what the builder is asked for."""
    return fingerprint({"builder": recipe.data.builder, "sizes": recipe.data.sizes, "seed": recipe.seed})


def data_ready(recipe: Recipe, folder: RunFolder) -> bool:
    """Whether the builder's files are there as asked for (a folder of the user's always is)."""
    if recipe.data.path:
        return True
    manifest = read_manifest(folder.data)
    if manifest is None or manifest["fingerprint"] != data_fingerprint(recipe):
        return False
    files = {folder.data / name: mark for name, mark in manifest["files"].items()}
    return all(path.is_file() and file_hash(path) == mark for path, mark in files.items())


def files_of(stage: str, recipe: Recipe) -> list[str]:
    """Data files a stage reads, relative to the data folder."""
    if stage == "cpt":
        return _named(recipe.cpt.mixture)
    if stage == "sft":
        return _named(recipe.sft.mixture)
    if stage == "lat":
        return ["lat.jsonl", *_named(recipe.lat.replay)]
    if stage == "base":
        return []
    ptx = getattr(recipe, stage).ptx
    return [f"{stage}.jsonl", *(_named(ptx.mixture) if ptx.coefficient else [])]


def _named(shares: Mapping[str, float]) -> list[str]:
    return [f"{name}.jsonl" for name, share in shares.items() if share > 0]


def plan(recipe: Recipe, folder: RunFolder, until: str | None = None) -> list[PlannedStage]:
    """Stages in building order; the data must be there (`data_ready`)."""
    data = data_folder(recipe, folder)
    wanted = ["base", *recipe.stages]
    if until is not None:
        if until not in wanted:
            raise RecipeError(f"--until {until}: this recipe has the stages {', '.join(wanted)}")
        wanted = wanted[: wanted.index(until) + 1]
    stages: list[PlannedStage] = []
    parent: PlannedStage | None = None
    for name in wanted:
        settings = _settings(name, recipe)
        hashes = {file: _hash_of(data, file) for file in files_of(name, recipe)}
        origin = parent.fingerprint if parent else data_mark(recipe, data)
        mark = fingerprint({"stage": name, "settings": settings, "seed": recipe.seed, "parent": origin, "data": hashes})
        ready = _matches(folder.stage(name) / "manifest.json", mark) and (parent is None or parent.ready)
        ready = ready and grown_from(folder, name, parent.name if parent else None)
        done = ready and _matches(folder.stage(name) / "evaluation-manifest.json", evaluation_mark(recipe, data, mark))
        parent = PlannedStage(name, parent.name if parent else None, mark, ready, done, settings, hashes)
        stages.append(parent)
    return stages


def grown_from(folder: RunFolder, stage: str, parent: str | None) -> bool:
    """Whether a stage's manifest names the very build of its parent that is there now."""
    return (read_manifest(folder.stage(stage)) or {}).get("parent_build") == build_of(folder, parent)


def build_of(folder: RunFolder, stage: str | None) -> str | None:
    """Identity of a finished build of a stage: the same recipe built twice is two builds."""
    return (read_manifest(folder.stage(stage)) or {}).get("build") if stage else None


def evaluation_mark(recipe: Recipe, data: Path, stage_mark: str) -> str:
    """Fingerprint of an evaluation: the model, the suites and how they are measured."""
    suites = {path.name: file_hash(path) for path in sorted((data / recipe.evaluation.split).glob("*.jsonl"))}
    how = {"evaluation": recipe.evaluation.model_dump(), "mixing": recipe.rewards.mixing, "dtype": recipe.rollout.dtype}
    return fingerprint({"stage": stage_mark, "suites": suites, "settings": how})


def data_mark(recipe: Recipe, data: Path) -> str:
    """What the base model depends on: the tokenizer is trained on the data when it is built here."""
    if recipe.model.path:
        model = Path(recipe.model.path).expanduser()
        return fingerprint({path.name: file_hash(path) for path in sorted(model.glob("*")) if path.is_file()})
    return fingerprint({path.name: file_hash(path) for path in training_texts(data) if path.is_file()})


def training_texts(data: Path) -> Sequence[Path]:
    """Files whose texts train the tokenizer."""
    return [data / f"{name}.jsonl" for name in ("cpt_mono", "cpt_parallel", "cpt_instructions", "sft")]


def _settings(stage: str, recipe: Recipe) -> dict[str, Any]:
    if stage == "base":
        return {**recipe.model.model_dump(), "dtype": recipe.learner.dtype if recipe.model.path else "float32"}
    section: dict[str, Any] = getattr(recipe, stage).model_dump(exclude=NOT_THE_RESULT)
    learner = recipe.learner
    section |= {"dtype": learner.dtype, "clip": learner.gradient_clipping, "attention": learner.attention}
    if stage in ("cpt", "sft", "lat") or section["ptx"]["coefficient"]:
        section["row_tokens"] = learner.row_tokens  # long documents are cut there
    if stage in ("preference", "rl"):
        plugins = [[p.rpartition(":")[2], file_hash(Path(p.rpartition(":")[0]))] for p in recipe.rewards.plugins]
        section |= {"plugins": plugins, "mixing": recipe.rewards.mixing, "apply": recipe.rewards.plugins_apply}
    return section


def _hash_of(data: Path, file: str) -> str:
    if not (data / file).is_file():
        raise DataError(f"missing data file {data / file}; docs/data.md says which files a stage reads")
    return file_hash(data / file)


def _matches(manifest: Path, mark: str) -> bool:
    found = read_manifest(manifest.parent) if manifest.name == "manifest.json" else _read(manifest)
    return found is not None and found.get("fingerprint") == mark


def _read(path: Path) -> dict[str, Any] | None:
    import json

    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
