"""What `rl/train.py`, `pretrain_sft/train.py` and `dragoman` have in common: options, recipe, Ray, run.

The first line printed says where everything goes. Errors of the recipe, the data, the machine and the
cluster end with one sentence and exit code 2; anything unexpected keeps its traceback.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dragoman.checkpoints.pretrained import check_pretrained, read_shape
from dragoman.errors import DragomanError
from dragoman.pipeline.model_source import model_folder, shape_of
from dragoman.pipeline.run_folder import CODE, RunFolder, is_temporary_copy, output_folder
from dragoman.recipes import Recipe, RecipeError, load_recipe, resolved_yaml
from dragoman.recipes.learning_rates import with_learning_rates
from rewards.plugins import load_plugin
from rl.distillation import check_teacher

RecipeArgument = Annotated[
    Path | None, typer.Argument(help="Recipe file (YAML). Default: the embedded recipes/quickstart.yaml.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the recipe, e.g. --set rl.steps=200."),
]
OutputOption = Annotated[
    str | None,
    typer.Option(help="Folder that holds run folders. Default: $DRAGOMAN_OUTPUT, else runs/ beside the code."),
]
RewardOption = Annotated[
    list[str] | None,
    typer.Option("--reward", metavar="FILE.py:FUNCTION", help="Your own reward; joins every RL prompt's rewards."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Print recipe, stages, actors and expected memory, then stop.")
]


def open_recipe(
    path: Path | None, overrides: list[str] | None, output: str | None, rewards: list[str] | None
) -> tuple[Recipe, RunFolder]:
    """The recipe with the command line laid over it, and its run folder; prints where outputs go."""
    recipe = load_recipe(path, overrides or [])
    plugins = [*recipe.rewards.plugins, *(rewards or [])]
    section = recipe.rewards.model_copy(update={"plugins": tuple(map(absolute_plugin, plugins))})
    recipe = recipe.model_copy(update={"rewards": section})
    for plugin in section.plugins:
        load_plugin(plugin)  # rows may name its kind, and are checked when they are read
    if recipe.model.path:
        source = model_folder(recipe.model)
        check_pretrained(source, recipe.model.context)
        _check_teacher(recipe, source)
        recipe = with_learning_rates(recipe, read_shape(source).parameters)
    folder = RunFolder(output_folder(output or recipe.output) / recipe.name)
    print(f"output: {folder.root}", flush=True)
    return recipe, folder


def _check_teacher(recipe: Recipe, source: Path) -> None:
    """A teacher must read the tokens of the model that is named; where its vocabulary is cut, the stage sees to it."""
    teacher = recipe.rl.distillation.teacher
    if teacher and "rl" in recipe.stages and not recipe.model.kept_pieces:
        from dragoman.learner.model import load_tokenizer

        check_teacher(load_tokenizer(source), source, Path(teacher))


def execute(recipe: Recipe, folder: RunFolder, *, until: str | None, evaluated: bool, dry_run: bool) -> None:
    """Connect to Ray and run."""
    if dry_run:
        _describe(recipe, folder, until)
        return
    from cluster.connection import connect

    connect(pythonpath=None if is_temporary_copy(CODE) else CODE, stacks=folder.stacks)
    from dragoman.pipeline.run import run

    asyncio.run(run(recipe, folder, until=until, evaluated=evaluated))


def guarded(main: typer.Typer) -> None:
    """Run a typer app; known errors become one sentence."""
    try:
        main()
    except DragomanError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


def _describe(recipe: Recipe, folder: RunFolder, until: str | None) -> None:
    from cluster.placement import placement_table
    from dragoman.pipeline.data import data_ready
    from dragoman.pipeline.hours import H100, hours_of, hours_table, rate_of
    from dragoman.pipeline.machine import examine_machine
    from dragoman.pipeline.placement import placements
    from dragoman.pipeline.plan import plan
    from dragoman.pipeline.show import console, print_plan
    from rl.algorithms import find_algorithm

    print(resolved_yaml(recipe))
    if data_ready(recipe, folder):
        print_plan(recipe, plan(recipe, folder, until))
    else:
        print(f"data: {recipe.data.builder} would be written; then every stage is built: {', '.join(recipe.stages)}")
    if "rl" in recipe.stages:
        console.print(f"rl: {find_algorithm(recipe.rl.algorithm)(recipe.rl, recipe.rewards.mixing).described()}")
    console.print(placement_table(placements(recipe)))
    gpus = (recipe.learner.gpus_per_rank, recipe.rollout.gpus_per_worker)
    node = H100 if all(gpus) else rate_of(examine_machine())
    training, writing = (H100 if used else node for used in gpus)
    unit = "GPU-hours of an H100" if recipe.learner.gpus_per_rank else "hours of this machine"
    console.print(hours_table(hours_of(recipe, shape_of(recipe), training, writing), unit))


def absolute_plugin(reference: str) -> str:
    """A plug-in's reference that does not depend on the current folder; RecipeError when there is no such file."""
    path, colon, function = reference.rpartition(":")
    if not colon:
        raise RecipeError(f"--reward {reference!r} is not of the form path/to/file.py:function")
    if not Path(path).expanduser().is_file():
        raise RecipeError(f"--reward {reference!r}: no file {path} (looked in {os.getcwd()})")
    return f"{Path(path).expanduser().resolve()}:{function}"
