"""The plan of a run: every stage with its parent, its fingerprint, and whether it must be built.

    data -> base -> cpt -> sft -> lat -> preference -> rl        (stages the recipe leaves out are skipped)

Like make: a stage is reused when its manifest carries the fingerprint it would have now. A fingerprint covers what the
stage says it depends on, the seed, the parent's fingerprint and the hashes of the data files it reads; not how many
actors did the work, which does not change the result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dragoman.data.rows import DataError
from dragoman.pipeline.data import data_folder
from dragoman.pipeline.fingerprints import file_hash, fingerprint, is_card
from dragoman.pipeline.manifest import EVALUATION_FILE, read_manifest
from dragoman.pipeline.model_source import model_folder
from dragoman.pipeline.run_folder import RunFolder
from dragoman.pipeline.stages import Stage, find_stage
from dragoman.pipeline.stages.initial import TOKENIZER_FILES
from dragoman.pipeline.stages.sampled import reward_values
from dragoman.recipes import Recipe, RecipeError
from dragoman.settings import Json, result_values


@dataclass(frozen=True)
class PlannedStage:
    """One stage of a run."""

    stage: Stage
    parent: str | None
    fingerprint: str
    ready: bool
    """Its manifest matches: nothing to do"""
    evaluated: bool
    """Its evaluation matches too"""
    depends_on: Mapping[str, Json]
    """What the fingerprint covers: the settings"""
    data: Mapping[str, str]
    """and the hashes of the files it reads"""

    @property
    def name(self) -> str:
        """The stage's."""
        return self.stage.name


def plan(recipe: Recipe, folder: RunFolder, until: str | None = None) -> list[PlannedStage]:
    """Stages in building order; the data must be there (`data_ready`)."""
    data = data_folder(recipe, folder)
    stages: list[PlannedStage] = []
    for name in wanted_stages(recipe, until):
        stages.append(_planned(find_stage(name), recipe, folder, data, stages[-1] if stages else None))
    return stages


def wanted_stages(recipe: Recipe, until: str | None) -> list[str]:
    """Names of the stages up to `until`; RecipeError when the recipe has no such stage."""
    wanted = ["base", *recipe.stages]
    if until is None:
        return wanted
    if until not in wanted:
        raise RecipeError(f"--until {until}: this recipe has the stages {', '.join(wanted)}")
    return wanted[: wanted.index(until) + 1]


def _planned(stage: Stage, recipe: Recipe, folder: RunFolder, data: Path, parent: PlannedStage | None) -> PlannedStage:
    depends_on = _depends_on(stage, recipe)
    hashes = {file: _hash_of(data, file) for file in stage.files(recipe)}
    origin = parent.fingerprint if parent else origin_mark(recipe, data)
    mark = fingerprint(
        {"stage": stage.name, "depends_on": depends_on, "seed": recipe.seed, "parent": origin, "data": hashes}
    )
    name, target = parent.name if parent else None, folder.stage(stage.name)
    ready = _matches(target, mark) and (parent is None or parent.ready) and grown_from(folder, stage.name, name)
    evaluated = ready and _matches(target, evaluation_mark(recipe, data, mark), EVALUATION_FILE)
    return PlannedStage(stage, name, mark, ready, evaluated, depends_on, hashes)


def _depends_on(stage: Stage, recipe: Recipe) -> Mapping[str, Json]:
    """What a stage says; a section of an extension's stage is checked when its stage first reads it."""
    try:
        return stage.depends_on(recipe)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" for e in error.errors())
        raise RecipeError(f"stage_settings.{stage.name}: {told}") from None


def grown_from(folder: RunFolder, stage: str, parent: str | None) -> bool:
    """Whether a stage's manifest names the very build of its parent that is there now."""
    manifest = read_manifest(folder.stage(stage))
    return (manifest.parent_build if manifest else None) == build_of(folder, parent)


def build_of(folder: RunFolder, stage: str | None) -> str | None:
    """Identity of a finished build of a stage."""
    manifest = read_manifest(folder.stage(stage)) if stage else None
    return manifest.build if manifest else None


def evaluation_mark(recipe: Recipe, data: Path, stage_mark: str) -> str:
    """Fingerprint of an evaluation: the model, the suites and how they are measured."""
    suites = {path.name: file_hash(path) for path in sorted((data / recipe.evaluation.split).glob("*.jsonl"))}
    how = {
        "evaluation": result_values(recipe.evaluation),
        "rewards": reward_values(recipe),
        "rollout": result_values(recipe.rollout),
    }
    return fingerprint({"stage": stage_mark, "suites": suites, "how": how})


def origin_mark(recipe: Recipe, data: Path) -> str:
    """What the base model comes from: a checkpoint's files, or the texts that its tokenizer is trained on."""
    if recipe.model.path:
        files = sorted(model_folder(recipe.model).glob("*"))
    else:
        files = [data / name for name in TOKENIZER_FILES]
    return fingerprint({path.name: file_hash(path) for path in files if path.is_file() and not is_card(path)})


def _hash_of(data: Path, file: str) -> str:
    if not (data / file).is_file():
        raise DataError(f"missing data file {data / file}; docs/data.md says which files a stage reads")
    return file_hash(data / file)


def _matches(folder: Path, mark: str, file: str = "manifest.json") -> bool:
    manifest = read_manifest(folder, file)
    return manifest is not None and manifest.fingerprint == mark
