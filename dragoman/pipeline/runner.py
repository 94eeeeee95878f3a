"""Runs a recipe: data, plan, preflight, then each stage that is missing or out of date, each with its evaluation.

The same call on a run that was stopped, however it was stopped, goes on where it was: finished stages have
manifests, an unfinished one has checkpoints. What an unfinished stage left behind is used only if it was
begun with the same fingerprint.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cluster.metrics import MetricsSink
from cluster.preflight import check_cluster
from cluster.progress import clock
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.report import write_report
from dragoman.evaluation.run_record import read_run
from dragoman.evaluation.suites import Suite, load_suites
from dragoman.evaluation.table import significance_table, stage_table
from dragoman.pipeline.builders import BUILDERS, build_base, build_data, check_inputs
from dragoman.pipeline.manifest import write_json, write_manifest
from dragoman.pipeline.plan import PlannedStage, build_of, data_folder, data_ready, evaluation_mark, plan
from dragoman.pipeline.run_folder import RunFolder
from dragoman.pipeline.session import Session
from dragoman.recipes import Recipe, resolved_yaml

console = Console(soft_wrap=True)


async def run(recipe: Recipe, folder: RunFolder, *, until: str | None = None, evaluated: bool = True) -> None:
    """Make the checkpoint of the recipe's last stage (or of `until`), its parents first, and the report."""
    began = time.monotonic()
    with folder.lock():
        check_cluster(recipe)
        sink = MetricsSink(folder.root, recipe.name)
        session = Session(recipe, folder, sink)
        try:
            if not data_ready(recipe, folder):
                session.open_learner()  # without data there is no finished stage either
            prepare(recipe, folder)
            stages = plan(recipe, folder, until)
            print_plan(recipe, stages)
            await _run_stages(session, stages, evaluated)
        finally:
            session.close()
            sink.close()
        write_json(folder.root / "lineage.json", [stage.name for stage in stages])
        shown = show_results(recipe, folder, stages)
        print(f"done in {clock(time.monotonic() - began)}; {shown}", flush=True)


def show_results(recipe: Recipe, folder: RunFolder, stages: Sequence[PlannedStage]) -> str:
    """Write the report and print its tables; says where to look. Random weights alone have nothing to report."""
    if recipe.model.path is None and [stage.name for stage in stages] == ["base"]:
        return f"untrained model: {folder.model('base')}"
    report = write_report(folder.root)
    print_tables(folder.root)
    return f"report: {report}"


def prepare(recipe: Recipe, folder: RunFolder) -> None:
    """The resolved recipe and the data on disk."""
    folder.root.mkdir(parents=True, exist_ok=True)
    (folder.root / "recipe.yaml").write_text(resolved_yaml(recipe), encoding="utf-8")
    if not data_ready(recipe, folder):
        print(f"data: writing the {recipe.data.builder} rows to {folder.data}", flush=True)
        build_data(recipe, folder)


def print_tables(root: Path) -> None:
    """All evaluated stages side by side, and the last against its parent."""
    evaluations = read_run(root).evaluations
    if evaluations:
        console.print(stage_table(evaluations))
    if len(evaluations) > 1:
        console.print(significance_table(evaluations[-2], evaluations[-1]))


def print_plan(recipe: Recipe, stages: Sequence[PlannedStage]) -> None:
    """Which stages are built and which are reused."""
    table = Table(title=f"run {recipe.name}", title_justify="left")
    for column in ("stage", "from", "steps", "state"):
        table.add_column(column)
    for stage in stages:
        steps = "" if stage.name == "base" else str(getattr(recipe, stage.name).steps)
        state = "up to date" if stage.ready and stage.evaluated else "evaluate" if stage.ready else "build"
        if stage.name == "base" and stage.ready:
            state = "up to date"
        table.add_row(stage.name, stage.parent or "", steps, state)
    console.print(table)


async def _run_stages(session: Session, stages: Sequence[PlannedStage], evaluated: bool) -> None:
    recipe, folder = session.recipe, session.folder
    data = data_folder(recipe, folder)
    todo = [s for s in stages if not s.ready or (evaluated and _needs_evaluation(recipe, s))]
    if not todo:
        print("everything is up to date", flush=True)
        return
    if not stages[0].ready:
        _begin(folder, stages[0])
        figures = build_base(recipe, data, folder.model("base"))
        _finish(folder, stages[0], figures, 0.0)
        print(f"base: {figures}", flush=True)
    session.open_base(folder.model("base"))
    await check_inputs([stage.name for stage in stages if not stage.ready], session, data)
    for stage in stages:
        held = False
        if not stage.ready and stage.name != "base":
            await _build(session, stage, data)
            held = True
        if evaluated and _needs_evaluation(recipe, stage):
            await _evaluate(session, stage, data, held)


async def _build(session: Session, stage: PlannedStage, data: Path) -> None:
    folder = session.folder
    assert stage.parent is not None
    print(f"\n── {stage.name} ──", flush=True)
    session.raise_if_engine_failed()
    began = time.monotonic()
    _begin(folder, stage)
    figures = await BUILDERS[stage.name](stage.name, session, data, folder.model(stage.parent))
    seconds = time.monotonic() - began
    figures["peak_memory_bytes"] = await session.peak_memory()
    _finish(folder, stage, figures, seconds)
    shutil.rmtree(folder.checkpoints(stage.name), ignore_errors=True)
    print(f"{stage.name}: built in {clock(seconds)}", flush=True)


async def _evaluate(session: Session, stage: PlannedStage, data: Path, held: bool) -> None:
    recipe, folder = session.recipe, session.folder
    section = recipe.evaluation
    began = time.monotonic()
    if not held:
        optimiser = getattr(recipe, stage.name, recipe.sft).model_dump()
        await session.hold(folder.model(stage.name), optimiser)
    await session.serve()
    suites = [Suite(s.name, s.rows[: section.limit]) for s in load_suites(data / section.split)]

    samples = section.samples if stage.name in section.sampled_stages else 0

    async def generate(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        return await session.answer(rows, samples, section.max_tokens)

    result = await evaluate(suites, generate, session.pools().score_many, stage=stage.name)
    result.save(folder.stage(stage.name))
    mark = evaluation_mark(recipe, data, stage.fingerprint)
    write_json(folder.stage(stage.name) / "evaluation-manifest.json", {"fingerprint": mark})
    print(f"{stage.name}: evaluated on {sum(len(s.rows) for s in suites)} rows in "
          f"{clock(time.monotonic() - began)}", flush=True)  # fmt: skip


def _needs_evaluation(recipe: Recipe, stage: PlannedStage) -> bool:
    """Random weights need no evaluation; a base model that somebody trained does."""
    return not stage.evaluated and (stage.name != "base" or recipe.model.path is not None)


def _begin(folder: RunFolder, stage: PlannedStage) -> None:
    """Keep what an earlier attempt left only if it was the same stage."""
    target = folder.stage(stage.name)
    mark = target / "building.json"
    now = {"fingerprint": stage.fingerprint, "parent_build": build_of(folder, stage.parent)}
    same = mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) == now
    (target / "manifest.json").unlink(missing_ok=True)  # first: nothing half-removed may look finished
    if not same:
        shutil.rmtree(target, ignore_errors=True)
        write_json(mark, now)


def _finish(folder: RunFolder, stage: PlannedStage, figures: Mapping[str, Any], seconds: float) -> None:
    write_manifest(
        folder.stage(stage.name),
        {
            "stage": stage.name,
            "parent": stage.parent,
            "fingerprint": stage.fingerprint,
            "build": uuid.uuid4().hex,
            "parent_build": build_of(folder, stage.parent),
            "seconds": round(seconds, 1),
            "figures": dict(figures),
            "settings": stage.settings,
            "data": stage.data,
        },
    )
