"""`dragoman translate MODEL --from en --to de [FILE|TEXT|-]`: texts and files, with everything but the texts as it was.

Only the translation goes to standard output; progress, the summary and what is to be looked at go to standard error.
"""

import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dragoman.data.documents import Asked, Document, Reply, Summary, open_document, translate_document
from dragoman.data.documents.plain import is_document, text_document
from dragoman.evaluation.suite_files.forms import Form
from dragoman.files import write_bytes
from dragoman.pipeline.asking import HELP, prompt_form
from dragoman.pipeline.run_folder import CODE, RunFolderError, stage_model
from dragoman.recipes.extensions import load_extensions
from dragoman.text.languages import language_name

_MOST_SHOWN = 50


def translate(
    model: Annotated[str, typer.Argument(help="A run folder, a folder in Hugging Face format, or package:NAME.")],
    source: Annotated[str, typer.Option("--from", help="Language code of the text, e.g. de.")],
    target: Annotated[str, typer.Option("--to", help="Language code of the translation, e.g. fr.")],
    what: Annotated[
        str, typer.Argument(metavar="[FILE|TEXT|-]", help="TMX, XLIFF, PO, JSON, ARB, SRT, text; - is standard input.")
    ] = "-",
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    existing: Annotated[
        Path | None, typer.Option(help="JSON, ARB: the catalog with the translations that are there already.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what has a finished translation.")] = False,
    extension: Annotated[
        list[str] | None, typer.Option(help="A module or FILE.py of yours that registers a format.")
    ] = None,
    stage: Annotated[str, typer.Option(help="Which stage's model: cpt, sft, lat, preference, rl.")] = "rl",
    accept_licence: Annotated[list[str] | None, typer.Option(help="A licence that you accept, by name.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer; default: by the text.", min=1)] = None,
    prompt: Annotated[str | None, typer.Option(help=HELP)] = None,
) -> None:
    """Translate a text or a file: greedy, structure kept, placeholders verified (docs/translating.md)."""
    began = time.monotonic()
    load_extensions(extension or ())
    _check(source, target, out)
    document = _document(what, Asked(Path(what).expanduser(), source, target, again, existing))
    folder, form = model_folder(model, stage, accept_licence or ()), prompt_form(model, prompt)
    with contextlib.redirect_stdout(sys.stderr):
        content, summary = _through_engine(document, folder, source, target, max_tokens, form)
    if out is not None:
        write_bytes(out, content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    for line in summary_lines(summary, time.monotonic() - began):
        print(line, file=sys.stderr)


def summary_lines(summary: Summary, seconds: float) -> list[str]:
    """What became of the texts, for people."""
    lines = []
    for title, found in (("left untranslated", summary.left), ("to be looked at", summary.marked)):
        lines += [f"{title}: {line}" for line in found[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            lines.append(f"{title}: {len(found) - _MOST_SHOWN} more")
    return [
        *lines,
        f"{summary.translated} translated, {summary.copied} copied, {summary.finished} finished before, "
        f"{len(summary.left)} left, {len(summary.marked)} marked, {seconds:.1f} s",
    ]


def _check(source: str, target: str, out: Path | None) -> None:
    for code in (source, target):
        language_name(code)
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise RunFolderError(f"--out {out}: give a file in a folder that is there")


def _document(what: str, asked: Asked) -> Document:
    """What is to be translated; what looks like a file's name and is none is an error, not a text."""
    if what == "-":
        return text_document(sys.stdin.buffer.read(), "standard input")
    if is_document(asked.path):
        return open_document(asked)
    if "\n" not in what and " " not in what and asked.path.suffix[1:].isalnum():
        raise RunFolderError(f"{what} is no file; give the path of one, or a text with a space in it")
    return text_document(what.encode("utf-8", "replace") + b"\n", "the text")


def model_folder(model: str, stage: str, accepted: Sequence[str]) -> Path:
    """A folder in Hugging Face format: given as such, of a package, or a stage's of a run."""
    from dragoman.packages import resolve_model

    folder = Path(model).expanduser()
    if (folder / "config.json").is_file():
        return folder.resolve()
    return resolve_model(model, accepted) if model.startswith("package:") else stage_model(folder, stage)


def _through_engine(
    document: Document, folder: Path, source: str, target: str, max_tokens: int | None, form: Form
) -> tuple[bytes, Summary]:
    from cluster.connection import connect_once
    from dragoman.learner.device import uses_gpu
    from dragoman.pipeline.translator import EngineTranslator
    from dragoman.rollout import RolloutSettings

    on_gpu = uses_gpu()
    settings = RolloutSettings(gpus_per_worker=float(on_gpu), dtype="bfloat16" if on_gpu else "float32")
    engine = EngineTranslator(folder, source, target, settings, max_tokens, form)

    def ask(texts: Sequence[str]) -> list[Reply]:
        connect_once(CODE)
        return engine(texts)

    return translate_document(document, ask, target)
