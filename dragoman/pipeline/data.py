"""The rows of a run: what its source writes, the recipe's own folder, or the rows of that which can be used."""

from pathlib import Path

from dragoman.data.intake import take_in
from dragoman.data.settings import parsed_sizes
from dragoman.data.sources import find_source
from dragoman.pipeline.fingerprints import file_hash, fingerprint
from dragoman.pipeline.manifest import FILE, Manifest, read_manifest, write_manifest
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import Recipe
from dragoman.settings import result_values


def data_folder(recipe: Recipe, folder: RunFolder) -> Path:
    """Where the rows are."""
    return _own_folder(recipe) if recipe.data.path and recipe.data.bad_rows == "refuse" else folder.data


def data_fingerprint(recipe: Recipe) -> str:
    """Of what the source is asked for, or of the files that rows are taken from."""
    if recipe.data.path:
        own = _own_folder(recipe)
        return fingerprint({str(p.relative_to(own)): file_hash(p) for p in sorted(own.rglob("*.jsonl"))})
    sizes, source = parsed_sizes(recipe.data), find_source(recipe.data.builder or "")
    read = {str(path): file_hash(path) for path in source.inputs(sizes) if path.is_file()}
    asked = {"builder": recipe.data.builder, "sizes": result_values(sizes), "seed": recipe.seed}
    return fingerprint({**asked, **({"inputs": read} if read else {})})


def data_ready(recipe: Recipe, folder: RunFolder) -> bool:
    """Whether the files are there as asked for (a folder of the user's, taken as it is, always is)."""
    if data_folder(recipe, folder) != folder.data:
        return True
    manifest = read_manifest(folder.data)
    if manifest is None or manifest.fingerprint != data_fingerprint(recipe):
        return False
    files = {folder.data / name: mark for name, mark in manifest.data.items()}
    return all(path.is_file() and file_hash(path) == mark for path, mark in files.items())


def build_data(recipe: Recipe, folder: RunFolder) -> None:
    """Let the source write its rows, or take in the user's, and a manifest with their hashes."""
    (folder.data / FILE).unlink(missing_ok=True)  # first: a half-written set must not look whole
    if recipe.data.path:
        rejected = take_in(_own_folder(recipe), folder.data)
        print(f"data: {rejected} rows cannot be used; {folder.data}/rejected.jsonl says why", flush=True)
    else:
        source = find_source(recipe.data.builder or "")
        source.write(folder.data, recipe.seed, parsed_sizes(recipe.data))
    hashes = {str(p.relative_to(folder.data)): file_hash(p) for p in sorted(folder.data.rglob("*.jsonl"))}
    write_manifest(folder.data, Manifest(data_fingerprint(recipe), data=hashes))


def _own_folder(recipe: Recipe) -> Path:
    return Path(recipe.data.path or "").expanduser().resolve()
