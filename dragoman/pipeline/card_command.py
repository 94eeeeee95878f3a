"""`dragoman card RUN`: the model card of a stage's model, from the run's own files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dragoman.pipeline.run_folder import RunFolder, RunFolderError, existing_run, stage_model

console = Console(soft_wrap=True)


def card(
    run: Annotated[Path, typer.Argument(help="A run folder, e.g. runs/quickstart.")],
    stage: Annotated[str | None, typer.Option(help="Which stage's model; default: the one built last.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a README.md that this command did not write.")
    ] = False,
) -> None:
    """Write README.md into a stage's model folder: metrics, data ledger, recipe, limits, as the run's files say."""
    from dragoman.pipeline.model_card import write_card

    chosen = stage or last_built(existing_run(run))
    stage_model(run, chosen)
    console.print(f"model card: {write_card(run, chosen, force=force)}")


def last_built(run: Path) -> str:
    """The stage with the youngest manifest beside a model."""
    built = [path for path in run.glob("stages/*/manifest.json") if RunFolder(run).model(path.parent.name).is_dir()]
    if not built:
        raise RunFolderError(f"{run} holds no finished stage; train one first")
    return max(built, key=lambda path: path.stat().st_mtime).parent.name
