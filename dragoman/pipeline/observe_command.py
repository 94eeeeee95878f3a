"""`dragoman observe RUN`: what a run optimises beside what it does not, and whether they part; also while it runs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dragoman.pipeline.run_folder import existing_run

console = Console()


def observe(
    run: Annotated[Path, typer.Argument(help="A run folder, e.g. runs/quickstart; it may be running.")],
    stage: Annotated[str, typer.Option(help="The stage to look at.")] = "rl",
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 where there is an alarm.")] = False,
) -> None:
    """Show rewards, metrics that nothing optimises and signs of reward hacking over steps; alarm where they part."""
    from dragoman.evaluation.observatory.terminal import alarm_lines, observation_table
    from dragoman.evaluation.observatory.watch import observe as look

    found = look(existing_run(run), stage)
    console.print(observation_table(found))
    for line in alarm_lines(found):
        console.print(line, markup=False, style="red" if found.alarms else "")
    if fail and found.alarms:
        raise typer.Exit(1)
