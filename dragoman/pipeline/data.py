"""The rows of a run: the recipe's own folder, or what its source writes."""

from __future__ import annotations

from pathlib import Path

from dragoman.data.settings import parsed_sizes
from dragoman.data.sources import find_source
from dragoman.pipeline.fingerprints import file_hash, fingerprint
from dragoman.pipeline.manifest import FILE, Manifest, read_manifest, write_manifest
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import Recipe
from dragoman.settings import result_values


def data_folder(recipe: Recipe, folder: RunFolder) -> Path:
    """Where the rows are."""
    return Path(recipe.data.path).expanduser().resolve() if recipe.data.path else folder.data


def data_fingerprint(recipe: Recipe) -> str:
    """Of what the source is asked for."""
    sizes = result_values(parsed_sizes(recipe.data))
    return fingerprint({"builder": recipe.data.builder, "sizes": sizes, "seed": recipe.seed})


def data_ready(recipe: Recipe, folder: RunFolder) -> bool:
    """Whether the source's files are there as asked for (a folder of the user's always is)."""
    if recipe.data.path:
        return True
    manifest = read_manifest(folder.data)
    if manifest is None or manifest.fingerprint != data_fingerprint(recipe):
        return False
    files = {folder.data / name: mark for name, mark in manifest.data.items()}
    return all(path.is_file() and file_hash(path) == mark for path, mark in files.items())


def build_data(recipe: Recipe, folder: RunFolder) -> None:
    """Let the source write its rows, and a manifest with their hashes."""
    (folder.data / FILE).unlink(missing_ok=True)  # first: a half-written set must not look whole
    source = find_source(recipe.data.builder or "")
    source.write(folder.data, recipe.seed, parsed_sizes(recipe.data))
    hashes = {str(p.relative_to(folder.data)): file_hash(p) for p in sorted(folder.data.rglob("*.jsonl"))}
    write_manifest(folder.data, Manifest(data_fingerprint(recipe), data=hashes))
