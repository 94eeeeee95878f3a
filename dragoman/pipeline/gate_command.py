"""`dragoman gate OLD NEW`: may the new model take the old one's place? Exit code 1 if not."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dragoman.files import write_json
from dragoman.pipeline.evaluation_folder import read_evaluation
from dragoman.pipeline.gate import judge
from dragoman.pipeline.run_folder import RunFolderError

console = Console(highlight=False)


def gate(
    old: Annotated[Path, typer.Argument(help="What `dragoman evaluate` wrote of the model in use.")],
    new: Annotated[Path, typer.Argument(help="The same of the new model, on the same suites.")],
    tolerance: Annotated[
        float, typer.Option(help="Loss in points of 100 that may remain possible (95 %) on each suite.", min=0.0)
    ] = 1.0,
    resamples: Annotated[int, typer.Option(help="Resamples of each test.", min=100)] = 2_000,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
) -> None:
    """Refuse a new model that loses on your segments, or of which that cannot be ruled out; writes NEW/gate.json."""
    from dragoman.evaluation.comparing import compare_systems

    before, after = read_evaluation(old), read_evaluation(new)
    missing = sorted({s.name for s in before.suites} - {s.name for s in after.suites})
    if missing:
        raise RunFolderError(f"{new} was not evaluated on {missing[0]!r}, which {old} was; evaluate both on the same")
    verdict = judge(compare_systems({"old": [before], "new": [after]}, resamples=resamples, seed=seed), tolerance)
    write_json(new / "gate.json", asdict(verdict))
    for suite in verdict.suites:
        console.print(suite.text, markup=False, soft_wrap=True)
    console.print("accepted" if verdict.accepted else "refused: keep the old model")
    if not verdict.accepted:
        raise typer.Exit(1)
