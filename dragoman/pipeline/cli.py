"""The `dragoman` command: small helpers around runs and rewards.

dragoman doctor                         what this machine can run
dragoman init MODEL DATA                a recipe for your model and rows that fits this machine
dragoman stages recipes/my.yaml         which stages a run would build
dragoman data recipes/my.yaml           write the rows of a recipe; what its filters took
dragoman report runs/quickstart         write the report again; of several runs one page
dragoman samples runs/quickstart        the rollouts of a run, also while it runs
dragoman observe runs/quickstart        rewards beside what nothing optimises; alarm where they part
dragoman rewards check data/rl.jsonl    do the rewards pay the right answers, and only those?
dragoman rewards score answers.jsonl    score a file of responses
dragoman rewards serve                  score over HTTP, for any other trainer
dragoman translate runs/quickstart --from de --to fr app.po --out app.fr.po
dragoman serve runs/quickstart          the same over HTTP: LibreTranslate's, DeepL's and OpenAI's interfaces
dragoman evaluate MODEL --suite my.yaml a model, an endpoint or a file of outputs, measured
dragoman compare OUT OUT                which of several evaluated systems are better, beyond chance
dragoman gate OUT OUT                   may the second take the first one's place? exit code 1 if not
dragoman synthesise MODEL TEXT --from en --to cs --out FOLDER   pairs from texts in one language, best of n
dragoman card runs/quickstart           the model card of a stage, from the run's own files
dragoman export runs/quickstart FOLDER  a stage's model for use elsewhere
dragoman extend MODEL TEXT --out FOLDER more pieces in a vocabulary for the languages of some texts
dragoman packages list                  models and text that arrive as packages
"""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dragoman.files import write_text
from dragoman.packages.cli import app as packages_app
from dragoman.pipeline import run_command as entry
from dragoman.pipeline.card_command import card
from dragoman.pipeline.data_command import data
from dragoman.pipeline.evaluate_command import compare, evaluate
from dragoman.pipeline.extend_command import extend
from dragoman.pipeline.gate_command import gate
from dragoman.pipeline.observe_command import observe
from dragoman.pipeline.run_folder import RunFolderError, existing_run, stage_model
from dragoman.pipeline.samples_command import samples
from dragoman.pipeline.serve_command import serve as serve_model
from dragoman.pipeline.synthesise_command import synthesise
from dragoman.pipeline.translate_command import translate
from dragoman.recipes import load_recipe

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__, no_args_is_help=True)
rewards_app = typer.Typer(help="Try and use rewards without training.", no_args_is_help=True)
app.add_typer(rewards_app, name="rewards")
app.add_typer(packages_app, name="packages")
app.command()(data)
app.command()(samples)
app.command()(observe)
app.command()(translate)
app.command("serve")(serve_model)
app.command()(evaluate)
app.command()(compare)
app.command()(gate)
app.command()(extend)
app.command()(card)
app.command()(synthesise)
console = Console()

RunArgument = Annotated[Path, typer.Argument(help="A run folder, e.g. runs/quickstart.")]


@app.command()
def doctor() -> None:
    """Check Python, memory, packages, the sandbox and the accelerator; exit code 1 if something is amiss."""
    from dragoman.pipeline.doctor import examine, findings_table

    findings = examine()
    console.print(findings_table(findings))
    if not all(f.fine for f in findings):
        raise typer.Exit(1)


@app.command()
def stages(
    recipe: entry.RecipeArgument = None,
    overrides: entry.SetOption = None,
    output: entry.OutputOption = None,
) -> None:
    """Print the resolved recipe, which stages would be built or reused, and where actors go."""
    resolved, folder = entry.open_recipe(recipe, overrides, output, None)
    entry.execute(resolved, folder, until=None, evaluated=True, dry_run=True)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="A run folder; several are shown side by side on one page.")],
    csv: Annotated[bool, typer.Option("--csv", help="Also write the figures of a run as report-csv/*.csv.")] = False,
    png: Annotated[bool, typer.Option("--png", help="Also write its drawings as report-png/*.png.")] = False,
    out: Annotated[Path | None, typer.Option(help="Page of several runs; default: beside the first one.")] = None,
) -> None:
    """Write report.html of a run again and print its tables; of several runs one page with all of them."""
    from dragoman.evaluation.report import write_report, write_side_by_side
    from dragoman.pipeline.show import print_tables

    if len(runs) > 1:
        if csv or png:
            raise RunFolderError("--csv and --png are of one run; write them for each run alone")
        console.print(f"report: {write_side_by_side([existing_run(run) for run in runs], out)}")
        return
    if out is not None:
        raise RunFolderError("--out is for several runs; the report of one is report.html in its folder")
    print_tables(existing_run(runs[0]))
    console.print(f"report: {write_report(runs[0], csv=csv, png=png)}")


@rewards_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="JSONL file of rows (docs/rewards/).")],
    reward: entry.RewardOption = None,
) -> None:
    """Try a data set's rewards: gold answers must pass, cheats must fail; a row with `expected` must earn that."""
    from rewards.doors.check import check_rows
    from rewards.doors.score import read_rows

    with _pools(reward) as pools:
        found = check_rows(pools, list(read_rows(file)))
    if found.misbehaviours:
        table = Table(title="answers that were paid wrongly", title_justify="left")
        for column in ("row", "id", "answer", "reward", "wanted", "detail"):
            table.add_column(column, overflow="fold")
        for m in found.misbehaviours:
            table.add_row(str(m.number), m.id, m.probe, _number(m.reward), m.wanted, m.detail)
        console.print(table)
    console.print(
        f"{found.rows} rows, {found.probes} answers tried, {len(found.misbehaviours)} paid wrongly; "
        f"{found.rows_without_gold} rows do not say their right answer"
    )
    if not found.passed:
        raise typer.Exit(1)


@rewards_app.command()
def score(
    file: Annotated[Path, typer.Argument(help="JSONL file of rows with a `response`.")],
    out: Annotated[Path | None, typer.Option(help="Where to write scores; default: FILE.scores.jsonl.")] = None,
    drop_bad_rows: Annotated[bool, typer.Option(help="Leave out rows that cannot be used, and count them.")] = False,
    reward: entry.RewardOption = None,
) -> None:
    """Score a file of responses offline: JSONL in, JSONL with every reward component out."""
    from cluster.progress import Progress
    from rewards.doors.score import score_file

    target = out or file.with_name(file.stem + ".scores.jsonl")
    shown: list[Progress] = []
    dropped: list[str] | None = [] if drop_bad_rows else None

    def progress(done: int, total: int) -> None:
        if not shown:
            shown.append(Progress("scoring", total))
        shown[0].update(done)

    with _pools(reward) as pools:
        scores = score_file(pools, file, target, progress, dropped=dropped)
    for reason in dropped or ():
        console.print(f"left out: {reason}", markup=False)
    if dropped:
        console.print(f"{len(dropped)} rows left out")
    failed = sum(s.reward is None for s in scores)
    console.print(f"{len(scores)} scores in {target}; {failed} could not be computed")


@rewards_app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; others than loopback need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8100,
    kind: Annotated[list[str] | None, typer.Option(help="Start this kind's pool now, not at its first row.")] = None,
    reward: entry.RewardOption = None,
) -> None:
    """Serve rewards over HTTP (OpenAPI page at /docs); $DRAGOMAN_REWARDS_TOKEN protects it."""
    import uvicorn

    from rewards.doors.adapters.scoring import TOKEN_VARIABLE
    from rewards.doors.service import check_binding, create_app

    token = os.environ.get(TOKEN_VARIABLE)
    check_binding(host, token)
    with _pools(reward) as pools:
        pools.start(kind or [])
        console.print(f"rewards at http://{host}:{port}  (OpenAPI: /docs; stop with Ctrl-C)")
        uvicorn.run(create_app(pools, token), host=host, port=port, log_level="warning")


@app.command()
def init(
    model: Annotated[str, typer.Argument(help="Folder of a checkpoint, package:NAME, or a name on the hub.")],
    data: Annotated[Path, typer.Argument(help="Folder with your rows (docs/data.md).")],
    out: Annotated[Path | None, typer.Option(help="Recipe to write; default: recipes/NAME-OF-THE-FOLDER.yaml.")] = None,
    hours: Annotated[float, typer.Option(help="About how long all stages may train.", min=0.05)] = 8.0,
    accept_licence: Annotated[list[str] | None, typer.Option(help="A licence that you accept, by name.")] = None,
) -> None:
    """Write a recipe for your model and rows that fits this machine."""
    from dragoman.packages import resolve_model
    from dragoman.pipeline.first_recipe import first_recipe
    from dragoman.pipeline.machine import examine_machine

    target = out or Path("recipes") / f"{data.resolve().name}.yaml"
    if target.exists():
        raise RunFolderError(f"{target} exists; name another file with --out")
    folder = resolve_model(model, accept_licence or ())
    text = first_recipe(model, folder, data, examine_machine(), hours)
    write_text(target, text)
    console.print(text)
    console.print(f"written to {target}; look at it, then: python rl/train.py {target} --dry-run")


@app.command()
def export(
    run: RunArgument,
    target: Annotated[Path, typer.Argument(help="Folder to write; it must not exist.")],
    stage: Annotated[str, typer.Option(help="Which stage's model: cpt, sft, lat, preference, rl.")] = "rl",
    dtype: Annotated[str, typer.Option(help="bfloat16, float16 or float32.")] = "bfloat16",
    whole_vocabulary: Annotated[
        bool, typer.Option("--whole-vocabulary", help="Put back the pieces that model.kept_pieces cut.")
    ] = False,
) -> None:
    """Write a stage's model as a Hugging Face folder for use elsewhere."""
    from dragoman.checkpoints.export import export_model
    from dragoman.pipeline.model_source import model_folder

    if dtype not in ("bfloat16", "float16", "float32"):
        raise RunFolderError(f"--dtype {dtype}: write bfloat16, float16 or float32")
    original = None
    if whole_vocabulary:
        recipe = load_recipe(existing_run(run) / "recipe.yaml")
        if recipe.model.path is None:
            raise RunFolderError(f"{run} made its model itself; there is no other vocabulary to put back")
        original = model_folder(recipe.model)
    export_model(stage_model(run, stage), target, dtype, original)
    console.print(f"{stage} of {run.name} in {dtype}: {target}")


def _pools(references: list[str] | None) -> Any:
    """Reward pools on the cluster in RAY_ADDRESS, or on a Ray of this process' own."""
    from cluster.connection import connect_once
    from dragoman.pipeline.run_folder import CODE
    from rewards import RewardPools

    connect_once(CODE)
    return RewardPools(plugins=[entry.absolute_plugin(r) for r in references or []], run_name="command")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def main() -> None:
    """Console script."""
    entry.guarded(app)


if __name__ == "__main__":
    main()
