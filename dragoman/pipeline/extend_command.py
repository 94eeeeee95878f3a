"""`dragoman extend MODEL TEXT…`: a model's vocabulary with more pieces for the languages of some texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dragoman.data.readers.texts import lines_of
from dragoman.files import read_lines
from dragoman.pipeline.run_folder import RunFolderError

console = Console(highlight=False)


def extend(
    model: Annotated[Path, typer.Argument(help="Folder in Hugging Face format, its tokenizer byte-pair encoding.")],
    texts: Annotated[list[Path], typer.Argument(help="Text line by line, or JSON lines with a column text.")],
    out: Annotated[Path, typer.Option(help="Folder to write; it must not exist.")],
    pieces: Annotated[int, typer.Option(help="At most so many new pieces.", min=1)] = 4_000,
) -> None:
    """Add pieces that the texts are written in with fewer tokens; train on (cpt) before you use the model."""
    from dragoman.checkpoints.extension import extend as extended

    if out.exists():
        raise RunFolderError(f"{out} exists; name another folder with --out")
    done = extended(model, out, texts_of(texts), pieces)
    share = done.tokens_after / max(1, done.tokens_before)
    console.print(
        f"{len(done.pieces)} pieces more; the texts take {done.tokens_before:,} → {done.tokens_after:,} tokens "
        f"({share:.0%}); written to {out}",
        markup=False, soft_wrap=True,
    )  # fmt: skip


def texts_of(files: list[Path]) -> Iterator[str]:
    """The lines of text files, and the column `text` of JSON lines."""
    for file in files:
        if file.suffix != ".jsonl":
            yield from lines_of(file)
            continue
        for number, row in read_lines(file):
            if not isinstance(text := row.get("text"), str):
                raise RunFolderError(f"{file}:{number} has no column text; give text files, or rows of cpt_mono")
            yield text
