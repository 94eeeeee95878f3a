"""Run one stage before reinforcement learning: cpt, sft, lat or preference.

    python pretrain_sft/train.py recipes/my.yaml --stage sft

Parents that are missing or out of date are built first; the stage is evaluated like in a whole run.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the code beside this file, whatever is installed

from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from dragoman.pipeline import run_command as entry  # noqa: E402
from dragoman.recipes import RecipeError  # noqa: E402

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    stage: Annotated[str, typer.Option(help="cpt, sft, lat or preference.")],
    recipe: entry.RecipeArgument = None,
    overrides: entry.SetOption = None,
    reward: entry.RewardOption = None,
    output: entry.OutputOption = None,
    evaluate: Annotated[bool, typer.Option(help="Evaluate after the stage.")] = True,
    dry_run: entry.DryRunOption = False,
) -> None:
    resolved, folder = entry.open_recipe(recipe, overrides, output, reward)
    if stage == "rl" or stage not in resolved.stages:
        offered = ", ".join(s for s in resolved.stages if s != "rl")
        raise RecipeError(f"--stage {stage}: this recipe offers {offered} here; rl is made by rl/train.py")
    entry.execute(resolved, folder, until=stage, evaluated=evaluate, dry_run=dry_run)


if __name__ == "__main__":
    entry.guarded(app)
