"""Runs a recipe: data, plan, preflight, then each stage that is missing or out of date, each with its evaluation.

The same call on a run that was stopped, however it was stopped, goes on where it was: finished stages have
manifests, an unfinished one has checkpoints. What an unfinished stage left behind is used only if it was
begun with the same fingerprint.
"""

import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cluster.metrics import MetricsSink
from cluster.placement import check_cluster, node_count
from cluster.progress import clock
from cluster.tracking import open_trackers
from dragoman.data.rows import Prompt
from dragoman.evaluation.evaluate import evaluate
from dragoman.files import read_json, write_json, write_text
from dragoman.pipeline import licences
from dragoman.pipeline.data import build_data, data_ready
from dragoman.pipeline.manifest import EVALUATION_FILE, FILE, Manifest, read_manifest, write_manifest
from dragoman.pipeline.model_source import model_folder
from dragoman.pipeline.placement import placements, rollout_settings
from dragoman.pipeline.plan import PlannedStage, build_of, evaluation_mark, plan
from dragoman.pipeline.run_folder import RunFolder
from dragoman.pipeline.session import Session
from dragoman.pipeline.show import print_plan, show_results
from dragoman.pipeline.stages import StageMetrics
from dragoman.pipeline.suites import limited, suites_of
from dragoman.pipeline.versions import version_warnings
from dragoman.recipes import Recipe, resolved_yaml


async def run(recipe: Recipe, folder: RunFolder, *, until: str | None = None, evaluated: bool = True) -> None:
    """Make the checkpoint of the recipe's last stage (or of `until`), its parents first, and the report."""
    began = time.monotonic()
    with folder.lock():
        check_cluster(placements(recipe))
        rollout_settings(recipe, node_count())
        sink = MetricsSink(folder.root, recipe.name, open_trackers(recipe.tracking, folder.root))
        session = Session(recipe, folder, sink)
        try:
            if not data_ready(recipe, folder):
                session.open_learner()  # without data there is no finished stage either
            prepare(recipe, folder)
            stages = plan(recipe, folder, until)
            print_plan(recipe, stages)
            for warning in version_warnings(folder, stages):
                print(f"warning: {warning}", flush=True)
            lineage = {"stages": [asdict(planned.stage.shown) for planned in stages]}
            write_json(folder.root / "lineage.json", lineage)
            await _run_stages(session, stages, evaluated)
        finally:
            session.close()
            sink.close()
        shown = show_results(recipe, folder, stages)
        print(f"done in {clock(time.monotonic() - began)}; {shown}", flush=True)


def prepare(recipe: Recipe, folder: RunFolder) -> None:
    """The resolved recipe and the data on disk."""
    write_text(folder.root / "recipe.yaml", resolved_yaml(recipe))
    if not data_ready(recipe, folder):
        print(f"data: writing the {recipe.data.builder or recipe.data.path} rows to {folder.data}", flush=True)
        build_data(recipe, folder)


async def _run_stages(session: Session, stages: Sequence[PlannedStage], evaluated: bool) -> None:
    recipe, folder = session.recipe, session.folder
    wanted = [evaluated and needs_evaluation(recipe, planned) for planned in stages]
    if all(planned.ready and not asked for planned, asked in zip(stages, wanted, strict=True)):
        print("everything is up to date", flush=True)
        return
    if not stages[0].ready:
        await _build(session, stages[0])
    session.open_base(folder.model(stages[0].name))
    await _check(session, stages, measured=any(wanted))
    for number, (planned, asked) in enumerate(zip(stages, wanted, strict=True), start=1):
        if not planned.ready and planned.parent is not None:
            await _build(session, planned)
        if asked:
            await _evaluate(session, planned, [before.name for before in stages[:number]])


async def _check(session: Session, stages: Sequence[PlannedStage], *, measured: bool) -> None:
    """Rows, rewards, suites and prompt lengths of stages to come, before any compute is spent on earlier ones.

    Suites are needed where something is measured; a stage can be trained without any.
    The reward pools start here, so a machine that cannot isolate code is found out at once.
    """
    for planned in stages:
        if not planned.ready:
            licences.check(session.recipe, _holdings(session, planned))
            await planned.stage.check(session)
    suites = suites_of(session) if measured else []
    asked = [*session.checked_prompts, *(prompt for suite in suites for prompt in suite.prompts)]
    specs = [spec for suite in suites for spec in suite.task.measures(suite.prompts[0])]
    specs += [spec for prompt in asked for spec in prompt.specs]
    await session.pools().start_async({spec.kind for spec in specs})


def _holdings(session: Session, planned: PlannedStage) -> list[licences.Holding]:
    recipe = session.recipe
    source = model_folder(recipe.model) if recipe.model.path else session.folder.model("base")
    return licences.holdings(recipe, source, session.data, planned.stage.files(recipe))


async def _build(session: Session, planned: PlannedStage) -> None:
    folder, name = session.folder, planned.name
    print(f"\n── {name} ──", flush=True)
    session.raise_if_engine_failed()
    began = time.monotonic()
    _begin(folder, planned)
    metrics = await planned.stage.build(session, folder.model(planned.parent or name))
    seconds = time.monotonic() - began
    metrics["peak_memory_bytes"] = await session.peak_memory()
    metrics["licences"] = licences.recorded(_holdings(session, planned))
    metrics["directions"] = planned.stage.directions(session.recipe, session.data)
    _finish(folder, planned, metrics, seconds)
    shutil.rmtree(folder.checkpoints(name), ignore_errors=True)
    print(f"{name}: built in {clock(seconds)}", flush=True)


async def _evaluate(session: Session, planned: PlannedStage, lineage: Sequence[str]) -> None:
    recipe, folder = session.recipe, session.folder
    settings, name = recipe.evaluation, planned.name
    began = time.monotonic()
    await session.serve(folder.model(name))
    suites = [limited(suite, settings.limit, recipe.seed) for suite in suites_of(session)]
    shots = 0 if planned.stage.instructed else settings.base_shots
    samples = settings.samples if settings.sampled_stages is None or name in settings.sampled_stages else 0

    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        if shots:
            return await session.go_on(prompts, shots, settings.max_tokens)
        return await session.answer(prompts, samples, settings.max_tokens)

    shown = replace(planned.stage.shown, optimised=optimised_kinds(folder, lineage))
    if shots:
        shown = replace(shown, title=f"{shown.title}, {shots} examples")
    result = await evaluate(suites, generate, session.pools(), shown, session.bits)
    result.save(folder.stage(name))
    mark = evaluation_mark(recipe, session.data, planned.fingerprint)
    write_manifest(folder.stage(name), Manifest(mark, stage=name), EVALUATION_FILE)
    rows = sum(len(suite.prompts) for suite in suites)
    print(f"{name}: evaluated on {rows} rows in {clock(time.monotonic() - began)}", flush=True)


def optimised_kinds(folder: RunFolder, lineage: Sequence[str]) -> tuple[str, ...]:
    """Reward kinds that some stages optimised, from their manifests."""
    manifests = [read_manifest(folder.stage(name)) for name in lineage]
    kinds = [manifest.metrics.get("reward_kinds") for manifest in manifests if manifest]
    return tuple(sorted({str(kind) for found in kinds if isinstance(found, list) for kind in found}))


def needs_evaluation(recipe: Recipe, planned: PlannedStage) -> bool:
    """Random weights need no evaluation; a base model that somebody trained does."""
    return not planned.evaluated and (planned.parent is not None or recipe.model.path is not None)


def _begin(folder: RunFolder, planned: PlannedStage) -> None:
    """Keep what an earlier attempt left only if it was the same stage."""
    target: Path = folder.stage(planned.name)
    now = {"fingerprint": planned.fingerprint, "parent_build": build_of(folder, planned.parent)}
    same = read_json(target / "building.json") == now
    (target / FILE).unlink(missing_ok=True)  # first: nothing half-removed may look finished
    if not same:
        shutil.rmtree(target, ignore_errors=True)
        write_json(target / "building.json", now)


def _finish(folder: RunFolder, planned: PlannedStage, metrics: StageMetrics, seconds: float) -> None:
    manifest = Manifest(
        planned.fingerprint,
        stage=planned.name,
        title=planned.stage.title,
        parent=planned.parent,
        build=uuid.uuid4().hex,
        parent_build=build_of(folder, planned.parent),
        seconds=round(seconds, 1),
        metrics=metrics,
        depends_on=planned.depends_on,
        data=planned.data,
    )
    write_manifest(folder.stage(planned.name), manifest)
