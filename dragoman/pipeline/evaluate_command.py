"""`dragoman evaluate MODEL|URL|OUTPUTS`: what a model knows, without a run or a trainer. docs/evaluation.md.

The examples in the help text are the manual; this module turns options into a `Job` and shows what came out.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console

from dragoman.evaluation.answering import Answerer, AnswerStore, Decoding, EndpointAnswerer, OutputsAnswerer
from dragoman.evaluation.answering.choosing import BEST, MBR
from dragoman.evaluation.comparing import write_comparison
from dragoman.evaluation.comparison_tables import comparison_tables, suite_tables
from dragoman.evaluation.outcomes import Evaluation, StageTitle
from dragoman.evaluation.standalone import Job, kinds_of, run_job
from dragoman.evaluation.suite_files import LoadedSuite, MetricEntry, load_suite_files
from dragoman.evaluation.suite_files.checks import content_warnings
from dragoman.evaluation.suite_files.forms import FORMS
from dragoman.evaluation.suite_files.settings import FormName
from dragoman.pipeline.evaluation_folder import describe, read_evaluation, trained_on
from dragoman.pipeline.run_folder import RunFolderError
from dragoman.pipeline.scoring import scorer_for, told_by_bars
from dragoman.recipes.extensions import load_extensions

console = Console(soft_wrap=True)
Dtype = Literal["float32", "bfloat16"]
EXAMPLES = """Measure a model, an endpoint or a file of outputs on suites.

\b
dragoman evaluate runs/quickstart --suite runs/quickstart/data/eval
dragoman evaluate MODEL --suite flores.yaml --suite human_eval --out out/a
dragoman evaluate http://localhost:8000/v1 --endpoint-model M --suite wmt.yaml
dragoman evaluate outputs.jsonl --suite flores.yaml --against out/a
dragoman evaluate MODEL --suite flores.yaml --shots 5 --examples sft.jsonl
dragoman evaluate MODEL --suite flores.yaml --samples 16 --choose mbr
dragoman evaluate MODEL --suite human_eval --samples 20 --temperature 0.8
dragoman compare out/a out/b

\b
A suite is a YAML file (docs/evaluation.md), JSON lines of the house's prompt
rows, a folder with some, or a shipped one: human_eval, ifbench,
gsm_symbolic, reasoning_gym, if_mt, ui_strings, gnome_manuals, bible.
The same command on a stopped evaluation goes on where it was."""


def evaluate(
    what: Annotated[
        str,
        typer.Argument(metavar="MODEL|URL|OUTPUTS", help="Model folder, run folder, package:NAME, http://…/v1, FILE."),
    ],
    suite: Annotated[list[str], typer.Option(help="Suite: FILE.yaml, FILE.jsonl, a folder, or a shipped name.")],
    out: Annotated[Path | None, typer.Option(help="Folder for answers and results; default: evaluations/NAME.")] = None,
    against: Annotated[list[Path] | None, typer.Option(help="Folder of another evaluation to compare with.")] = None,
    stage: Annotated[str, typer.Option(help="Of a run folder: which stage's model.")] = "rl",
    prompt: Annotated[str | None, typer.Option(help=f"Prompt form of translations: {', '.join(FORMS)}.")] = None,
    shots: Annotated[int, typer.Option(help="Examples shown before each question, no chat template.", min=0)] = 0,
    examples: Annotated[Path | None, typer.Option(help="JSON lines of conversations for --shots (sft.jsonl).")] = None,
    samples: Annotated[int, typer.Option(help="Sampled answers per row beside the greedy one.", min=0, max=1024)] = 0,
    temperature: Annotated[float, typer.Option(help="Of the samples.", min=0.01, max=10)] = 1.0,
    top_p: Annotated[float, typer.Option(help="Of the samples.", min=0.01, max=1)] = 1.0,
    beams: Annotated[int, typer.Option(help="Width of a beam search in place of greedy decoding.", min=1, max=10)] = 1,
    choose: Annotated[str | None, typer.Option(help="Judge one of the samples: mbr, or best:KIND of a reward.")] = None,
    max_tokens: Annotated[int, typer.Option(help="Longest answer, where a suite says nothing.", min=1)] = 512,
    dtype: Annotated[
        Dtype | None, typer.Option(help="Of a model's numbers; default: bfloat16 on a GPU, else float32.")
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Metrics in place of the suites'.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows of each suite.", min=1)] = None,
    training: Annotated[Path | None, typer.Option(help="Training rows, looked through for the suites' texts.")] = None,
    seed: Annotated[int, typer.Option(help="Of samples, examples and limits.")] = 0,
    endpoint_model: Annotated[str | None, typer.Option(help="Name of the model at the URL.")] = None,
    key_variable: Annotated[str | None, typer.Option(help="Environment variable with the endpoint's key.")] = None,
    concurrency: Annotated[int, typer.Option(help="Requests to an endpoint at a time.", min=1)] = 16,
    accept_licence: Annotated[
        list[str] | None, typer.Option(help="Licence of a model or suite that you accept.")
    ] = None,
    extension: Annotated[
        list[str] | None, typer.Option(help="A module or FILE.py of yours that registers metrics, tasks or rewards.")
    ] = None,
) -> None:
    load_extensions(extension or ())
    suites = _suites(suite, accept_licence or (), prompt, limit, seed)
    decoding = _decoding(samples, temperature, top_p, max_tokens, seed, choose, beams)
    shown = _examples(examples)
    for warning in content_warnings(suites, training):
        console.print(f"warning: {warning}", markup=False)
    answerer = answerer_of(what, stage, accept_licence or (), suites, endpoint_model, key_variable, concurrency, dtype)
    entries = tuple(MetricEntry(name=name) for name in metric or ())
    optimised = (choose.removeprefix(BEST),) if choose and choose.startswith(BEST) else ("chrf",) if choose else ()
    optimised = (*trained_on(Path(what).expanduser(), stage), *optimised)
    title = StageTitle(answerer.name, answerer.name, optimised=optimised)
    job = Job(tuple(suites), answerer, decoding, shots, shown, choose, entries, title)
    kinds = kinds_of(job)
    folder = out or Path("evaluations") / answerer.name
    evaluation = _measured(job, folder, kinds)
    for table in suite_tables(evaluation):
        console.print(table)
    console.print(f"results: {folder / 'evaluation.json'}; answers and outcomes beside it", markup=False)
    if against:
        compare([str(one) for one in (*against, folder)])


evaluate.__doc__ = EXAMPLES


def compare(
    outs: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]OUT…",
            help="Folders that `dragoman evaluate` wrote. Several of one NAME are trainings with different seeds.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for comparison.json and .csv; default: the last OUT.")
    ] = None,
    resamples: Annotated[int, typer.Option(help="Resamples of each test.", min=100)] = 2_000,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
) -> None:
    """Rank evaluated systems into clusters that cannot be told apart, with paired tests on the same rows."""
    from dragoman.evaluation.comparing import compare_systems

    named = [_named(text) for text in outs]
    systems: dict[str, list[Evaluation]] = {}
    for name, folder in named:
        systems.setdefault(name, []).append(read_evaluation(folder))
    if len(systems) < 2:
        raise RunFolderError("compare needs two systems of different names, such as out/model out/other")
    found = compare_systems(systems, resamples=resamples, seed=seed)
    for table in comparison_tables(found):
        console.print(table)
    target = out or named[-1][1]
    write_comparison(found, target)
    console.print(f"written: {target / 'comparison.json'}, {target / 'comparison.csv'}", markup=False)


def _named(text: str) -> tuple[str, Path]:
    """`sft=out/sft-0` is a training of the system sft; a folder alone is a system of its name."""
    name, equals, path = text.partition("=")
    return (name, Path(path)) if equals and not Path(text).exists() else (Path(text).name, Path(text))


def _suites(
    named: Sequence[str], accepted: Sequence[str], prompt: str | None, limit: int | None, seed: int
) -> list[LoadedSuite]:
    loaded = load_suite_files(named, accepted)
    if prompt is not None:
        if prompt not in FORMS:
            raise RunFolderError(f"--prompt {prompt}: write one of {', '.join(FORMS)}")
        loaded = [one.with_form(cast(FormName, prompt)) for one in loaded]
    return [one.limited(limit, seed) for one in loaded]


def _decoding(
    samples: int, temperature: float, top_p: float, max_tokens: int, seed: int, choose: str | None, beams: int
) -> Decoding:
    if choose is not None and beams > 1:
        raise RunFolderError(f"--choose {choose} judges a sample and --beams {beams} a search; leave one of them out")
    if choose is not None and choose != MBR and not choose.startswith(BEST):
        raise RunFolderError(f"--choose {choose}: write mbr, or best:KIND with a reward kind such as best:comet_kiwi")
    if choose is not None and samples < 2:
        raise RunFolderError(f"--choose {choose} needs something to choose from; add --samples 8")
    return Decoding(
        samples=samples, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, beams=beams,
        greedy=choose is None,
    )  # fmt: skip


def _examples(path: Path | None) -> tuple[Any, ...]:
    from dragoman.data.rows import read_conversations

    return tuple(read_conversations(path)) if path is not None else ()


def answerer_of(
    what: str,
    stage: str,
    accepted: Sequence[str],
    suites: Sequence[LoadedSuite],
    endpoint_model: str | None,
    key_variable: str | None,
    concurrency: int,
    dtype: Dtype | None = None,
) -> Answerer:
    """Who answers: an endpoint for an address, a file of outputs for a file, else a model's folder, in `dtype`.

    Raises RunFolderError where a dtype is given for what has none.
    """
    path, remote = Path(what).expanduser(), what.startswith(("http://", "https://"))
    if dtype and (remote or path.is_file()):
        raise RunFolderError(f"--dtype {dtype} is for a model that is loaded here, which {what} is not; leave it out")
    if remote:
        return _endpoint(what, endpoint_model, key_variable, concurrency)
    if path.is_file():
        return OutputsAnswerer(path, [prompt.id for loaded in suites for prompt in loaded.suite.prompts])
    from dragoman.learner.device import uses_gpu
    from dragoman.pipeline.engine_answerer import EngineAnswerer
    from dragoman.pipeline.translate_command import model_folder
    from dragoman.rollout import RolloutSettings

    folder = model_folder(what, stage, accepted)
    on_gpu = uses_gpu()
    settings = RolloutSettings(gpus_per_worker=float(on_gpu), dtype=dtype or ("bfloat16" if on_gpu else "float32"))
    own = folder.parent.name if folder.name == "model" else folder.name
    name = f"{path.name}-{stage}" if folder.name == "model" and folder != path.resolve() else own
    return EngineAnswerer(folder, name, settings)


def _endpoint(url: str, model: str | None, key_variable: str | None, concurrency: int) -> Answerer:
    from rewards.models.endpoint import EndpointSettings

    if not model:
        raise RunFolderError(f"{url} needs --endpoint-model NAME, the name by which the server knows its model")
    if key_variable and not os.environ.get(key_variable):
        raise RunFolderError(f"environment variable {key_variable} is not set; export the key of {url} under that name")
    return EndpointAnswerer(EndpointSettings(url, model, key_variable, concurrency, request_timeout_s=600.0))


def _measured(job: Job, folder: Path, kinds: set[str]) -> Evaluation:
    """Ask, score, save."""
    store = AnswerStore(folder) if job.answerer.remembers else None
    with scorer_for(kinds, "evaluate") as scorer:
        try:
            evaluation = asyncio.run(run_job(job, store, scorer, told_by_bars()))
        finally:
            sys.stdout.flush()
    evaluation.save(folder)
    describe(job, folder)
    return evaluation
