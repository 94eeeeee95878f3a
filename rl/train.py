"""Make the reinforcement-learning checkpoint of a recipe, its parent stages first.

    ray job submit --working-dir . -- python rl/train.py                    # recipes/quickstart.yaml
    ray job submit --working-dir . -- python rl/train.py recipes/my.yaml --set rl.steps=200

Stages that are up to date are reused; run again, a stopped run goes on. Where outputs went is the first line.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the code beside this file, whatever is installed

from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from dragoman.pipeline import run_command as entry  # noqa: E402

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    recipe: entry.RecipeArgument = None,
    overrides: entry.SetOption = None,
    until: Annotated[str | None, typer.Option(help="Stop after this stage: cpt, sft, lat, preference, rl.")] = None,
    reward: entry.RewardOption = None,
    output: entry.OutputOption = None,
    dry_run: entry.DryRunOption = False,
) -> None:
    resolved, folder = entry.open_recipe(recipe, overrides, output, reward)
    entry.execute(resolved, folder, until=until, evaluated=True, dry_run=dry_run)


if __name__ == "__main__":
    entry.guarded(app)
