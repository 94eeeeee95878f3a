"""What a run prints: its plan, and at the end its tables."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dragoman.evaluation.report import read_run, write_report
from dragoman.evaluation.terminal import significance_table, stage_table
from dragoman.pipeline.plan import PlannedStage
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import Recipe

console = Console(soft_wrap=True)


def print_plan(recipe: Recipe, stages: Sequence[PlannedStage]) -> None:
    """Which stages are built and which are reused."""
    table = Table(title=f"run {recipe.name}", title_justify="left")
    for column in ("stage", "from", "steps", "state"):
        table.add_column(column)
    for planned in stages:
        settings = planned.stage.settings(recipe)
        steps = "" if settings is None else str(settings.steps)
        done = planned.evaluated or planned.parent is None
        state = "build" if not planned.ready else "up to date" if done else "evaluate"
        table.add_row(planned.name, planned.parent or "", steps, state)
    console.print(table)


def show_results(recipe: Recipe, folder: RunFolder, stages: Sequence[PlannedStage]) -> str:
    """Write the report and print its tables; says where to look. Random weights alone have nothing to report."""
    if recipe.model.path is None and len(stages) == 1:
        return f"untrained model: {folder.model('base')}"
    report = write_report(folder.root)
    print_tables(folder.root)
    return f"report: {report}"


def print_tables(root: Path) -> None:
    """All evaluated stages side by side, and the last against its parent."""
    evaluations = read_run(root).evaluations
    if evaluations:
        console.print(stage_table(evaluations))
    if len(evaluations) > 1:
        console.print(significance_table(evaluations[-2], evaluations[-1]))
