"""`dragoman data RECIPE`: write the rows of a recipe, and show what its filters took and why."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dragoman.data.corpora.source import FUNNEL
from dragoman.pipeline import run_command as entry
from dragoman.pipeline.data import build_data, data_folder, data_ready

console = Console()


def data(
    recipe: entry.RecipeArgument = None,
    overrides: entry.SetOption = None,
    output: entry.OutputOption = None,
    samples: Annotated[int, typer.Option(help="Samples of what each filter left out.", min=0, max=5)] = 2,
) -> None:
    """Write the rows that a recipe's stages read, and show the funnel of its filters; trains nothing."""
    resolved, folder = entry.open_recipe(recipe, overrides, output, None)
    with folder.lock():
        if data_ready(resolved, folder):
            console.print("data: up to date")
        else:
            build_data(resolved, folder)
    rows = data_folder(resolved, folder)
    if (rows / FUNNEL).is_file():
        show_funnel(json.loads((rows / FUNNEL).read_text(encoding="utf-8"))["filters"], samples)
    console.print(files_table(rows))


def show_funnel(filters: list[dict[str, Any]], samples: int) -> None:
    """What came to each filter and what it left out, with samples."""
    table = Table("filter", "came", "left out", "share", title="filters, in their order", title_justify="left")
    for one in filters:
        share = f"{100 * one['went'] / one['came']:.1f} %" if one["came"] else "–"
        table.add_row(one["name"], f"{one['came']:,}", f"{one['went']:,}", share)
    console.print(table)
    for one in filters:
        for sample in one["samples"][:samples]:
            where = escape(f"{sample['place']}: {sample['reason']}")  # a catalog's key may look like markup
            console.print(f"[bold]{one['name']}[/bold]  {where}", highlight=False)
            for side in ("source", "target"):
                console.print(f"    {sample[side][:70]!r}", markup=False, highlight=False)


def files_table(folder: Path) -> Table:
    """The files of a data folder with their rows."""
    table = Table("file", "rows", title=str(folder), title_justify="left")
    for file in sorted(folder.rglob("*.jsonl")):
        with file.open("rb") as lines:
            table.add_row(str(file.relative_to(folder)), f"{sum(1 for _ in lines):,}")
    return table
