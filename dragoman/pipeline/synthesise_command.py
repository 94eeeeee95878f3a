"""`dragoman synthesise MODEL TEXT…`: pairs from texts in one language, best of n, of the texts that profit from it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from dragoman.data.rows import ParallelPair, Prompt, prompt_of
from dragoman.evaluation.answering import Answer, AnswerStore, Decoding
from dragoman.evaluation.answering.asking import ask_all
from dragoman.evaluation.answering.questions import draws
from dragoman.evaluation.answering.records import Question
from dragoman.evaluation.best_of_n import Judged, Tried, profiting
from dragoman.evaluation.corpus_metrics.kinds import spec_of
from dragoman.evaluation.outcomes import mean
from dragoman.evaluation.suite_files.forms import Form, asked
from dragoman.files import write_lines
from dragoman.pipeline.asking import HELP, prompt_form
from dragoman.pipeline.evaluate_command import answerer_of
from dragoman.pipeline.extend_command import texts_of
from dragoman.pipeline.run_folder import RunFolderError
from dragoman.pipeline.scoring import scorer_for, told_by_bars
from dragoman.recipes.extensions import load_extensions
from dragoman.text.languages import language_name
from rewards.records import Scorer
from rewards.registry import find_kind

PAIRS, PIECE = "pairs.jsonl", 64
"""The file of pairs; texts whose translations are judged together"""
GATES = ("direction", "source_copy", "repetition")
"""What a metric without reference is fooled by: a translation that fails one is worth nothing"""
console = Console(soft_wrap=True, highlight=False)


def synthesise(
    what: Annotated[str, typer.Argument(metavar="MODEL|URL", help="Model or run folder, package:NAME, http://…/v1.")],
    texts: Annotated[list[Path], typer.Argument(help="Text line by line, or JSON lines with a column text.")],
    source: Annotated[str, typer.Option("--from", help="Language code of the texts, e.g. en.")],
    target: Annotated[list[str], typer.Option("--to", help="Language code to translate into; may be given again.")],
    out: Annotated[Path, typer.Option(help="Folder for answers and pairs; what it has is not asked again.")],
    kind: Annotated[str, typer.Option(help="Reward kind without reference that judges translations.")] = "adequacy",
    argument: Annotated[list[str] | None, typer.Option(help="KEY=VALUE for the kind, such as model=FOLDER.")] = None,
    samples: Annotated[int, typer.Option(help="Sampled translations beside the greedy one.", min=1, max=1024)] = 8,
    share: Annotated[float, typer.Option(help="Kept, of the texts of a direction and length.", min=0.01, max=1)] = 0.3,
    temperature: Annotated[float, typer.Option(help="Of the samples.", min=0.01, max=10)] = 1.0,
    top_p: Annotated[float, typer.Option(help="Of the samples.", min=0.01, max=1)] = 1.0,
    max_tokens: Annotated[int, typer.Option(help="Longest answer; cut ones do not count.", min=1)] = 512,
    stage: Annotated[str, typer.Option(help="Of a run folder: which stage's model.")] = "rl",
    prompt: Annotated[str | None, typer.Option(help=HELP)] = None,
    licence: Annotated[str, typer.Option(help="Of the texts, written into each row.")] = "",
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    endpoint_model: Annotated[str | None, typer.Option(help="Name of the model at the URL.")] = None,
    key_variable: Annotated[str | None, typer.Option(help="Environment variable with the endpoint's key.")] = None,
    concurrency: Annotated[int, typer.Option(help="Requests to an endpoint at a time.", min=1)] = 16,
    accept_licence: Annotated[list[str] | None, typer.Option(help="A licence that you accept, by name.")] = None,
    extension: Annotated[list[str] | None, typer.Option(help="A module or FILE.py of yours with rewards.")] = None,
) -> None:
    """Make pairs from texts in one language: best of n translations, of the texts that profit most from it."""
    load_extensions(extension or ())
    find_kind(kind)
    for code in (source, *target):
        language_name(code)
    if Path(what).expanduser().is_file():
        raise RunFolderError(f"{what} is a file; give a model's folder, package:NAME or the address of an endpoint")
    form = prompt_form(what, prompt)
    lines = list(dict.fromkeys(text.strip() for text in texts_of(texts) if any(map(str.isalpha, text))))
    if not lines:
        raise RunFolderError(f"{', '.join(map(str, texts))}: no line has a letter; give files with text to translate")
    prompts = [prompt_for(n, ParallelPair(source, to, text, ""), kind, arguments_of(argument or ()), form)
               for to in target for n, text in enumerate(lines)]  # fmt: skip
    answerer = answerer_of(what, stage, accept_licence or (), (), endpoint_model, key_variable, concurrency)
    decoding = Decoding(samples=samples, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed)
    questions = [question for one in prompts for question in draws(first_question(one, form, max_tokens), decoding)]
    told = told_by_bars()
    try:
        answers = asyncio.run(
            ask_all(answerer, questions, AnswerStore(out), lambda n, total: told("answers", n, total))
        )
    finally:
        answerer.close()
    grouped = [answers[start : start + samples + 1] for start in range(0, len(answers), samples + 1)]
    with scorer_for({kind, *GATES}, "synthesise") as scorer:
        tried = asyncio.run(tried_of(prompts, grouped, scorer, lambda n, total: told("judging", n, total)))
    if not tried:
        raise RunFolderError(
            f"no greedy translation of {len(prompts)} came to its end and could be judged by {kind!r}; raise "
            "--max-tokens, or look at what the kind needs (docs/rewards/README.md)"
        )
    kept = profiting(tried, share)
    origin = {"provenance": f"{answerer.name}, best of {samples} by {kind}", "licence": licence}
    write_lines(out / PAIRS, ({**row_of(one), **origin} for one in kept))
    console.print(summary(prompts, tried, kept))
    console.print(f"written: {out / PAIRS}, which `builder: corpus` reads (docs/corpora.md)", markup=False)


def arguments_of(given: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE`s, values as YAML reads them."""
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, (key, sign, _) in zip(given, pairs, strict=True) if not sign or not key]
    if wrong:
        raise RunFolderError(f"--argument {wrong[0]}: write KEY=VALUE, such as model=FOLDER")
    return {key: yaml.safe_load(value) for key, _, value in pairs}


def prompt_for(number: int, pair: ParallelPair, kind: str, arguments: Mapping[str, Any], form: Form) -> Prompt:
    """A text to be translated, and what its translations earn: the kind behind its gates."""
    source, target = pair.direction
    row: dict[str, Any] = {
        "id": f"{source}-{target}-{number:07}", "task": "translation", "source_language": source,
        "target_language": target, "source": pair.source, "messages": [{"role": "user", "content": asked(form, pair)}],
    }  # fmt: skip
    bare = Prompt(row["id"], tuple(row["messages"]), (), row, pair=pair)
    judge = spec_of(kind, bare, arguments)
    gates = [spec_of(name, bare, {}) for name in GATES]
    rewards = [{"kind": judge.kind, "args": dict(judge.args)},
               *({"kind": gate.kind, "gate": True, "args": dict(gate.args)} for gate in gates)]  # fmt: skip
    return prompt_of({**row, "rewards": rewards}, f"text {number + 1}")


def first_question(prompt: Prompt, form: Form, max_tokens: int) -> Question:
    """The greedy question of a text."""
    if form.raw:
        return Question(prompt.id, 0, (), prompt.question, form.stop, max_tokens=max_tokens)
    return Question(prompt.id, 0, prompt.messages, "", form.stop, max_tokens=max_tokens)


async def tried_of(
    prompts: Sequence[Prompt], answers: Sequence[Sequence[Answer]], scorer: Scorer, told: Callable[[int, int], None]
) -> list[Tried]:
    """Texts whose greedy translation came to its end and could be judged, with all samples of which that is true."""
    found = []
    for start in range(0, len(prompts), PIECE):
        some = list(zip(prompts[start : start + PIECE], answers[start : start + PIECE], strict=True))
        asked_for = [(p, text) for p, given in some for text in dict.fromkeys(a.text for a in given if _ended(a))]
        scores = await scorer.score_many(asked_for)
        values = {(p.id, text): s.reward for (p, text), s in zip(asked_for, scores, strict=True)}
        for prompt, given in some:
            judged = [
                Judged(answer.text, value) if _ended(answer) and (value := values[prompt.id, answer.text]) is not None
                else None for answer in given
            ]  # fmt: skip
            if judged[0] is not None and prompt.pair is not None:
                samples = tuple(one for one in judged[1:] if one is not None)
                found.append(Tried(prompt.pair.source, *prompt.pair.direction, judged[0], samples))
        told(min(start + PIECE, len(prompts)), len(prompts))
    return found


def _ended(answer: Answer) -> bool:
    return answer.finish_reason == "stop" and bool(answer.text.strip())


def row_of(one: Tried) -> dict[str, Any]:
    """A pair as `builder: corpus` reads it; the greedy translation is the draft that the best one is preferred to."""
    return {
        "source": one.source, "target": one.best.text, "draft": one.greedy.text, "source_language": one.source_language,
        "target_language": one.target_language, "value": one.best.value, "gain": one.gain,
    }  # fmt: skip


def summary(prompts: Sequence[Prompt], tried: Sequence[Tried], kept: Sequence[Tried]) -> Table:
    """By direction: texts, those whose greedy translation could be judged, values, what was kept."""
    table = Table("direction", "texts", "judged", "greedy", "best", "kept", "their gain")
    for direction in dict.fromkeys(p.pair.direction for p in prompts if p.pair):
        own = [one for one in tried if (one.source_language, one.target_language) == direction]
        chosen = [one for one in kept if (one.source_language, one.target_language) == direction]
        asked_for = sum(p.pair is not None and p.pair.direction == direction for p in prompts)
        means = (
            mean(one.greedy.value for one in own), mean(one.best.value for one in own),
            mean(one.gain for one in chosen),
        )  # fmt: skip
        greedy, best, gain = ("" if value is None else f"{value:.3f}" for value in means)
        table.add_row("-".join(direction), str(asked_for), str(len(own)), greedy, best, str(len(chosen)), gain)
    return table
