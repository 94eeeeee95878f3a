"""Hashes: of JSON values, of files, of plug-ins."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from dragoman.settings import Json

FORMAT = 2
"""Raised when the meaning of fingerprints changes: older ones then match nothing."""


def fingerprint(values: Mapping[str, Json]) -> str:
    """Hash of a JSON-able mapping, independent of key order."""
    text = json.dumps({"format": FORMAT, **values}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, remembered while size and time stay the same."""
    status = path.stat()
    return _hash(path, status.st_size, status.st_mtime_ns)


def plugin_file(reference: str) -> Path:
    """The file of a plug-in `path/to/file.py:function`."""
    return Path(reference.rpartition(":")[0])


@lru_cache(maxsize=1024)
def _hash(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:24]


CARD_MARK = "<!-- written by `dragoman card` -->"


def is_card(path: Path) -> bool:
    """Whether a file is a model card of ours: it tells of a model and is no part of it."""
    return path.name == "README.md" and CARD_MARK in path.read_text(encoding="utf-8", errors="replace")


def model_fingerprint(folder: Path) -> str:
    """Hash of a checkpoint: names and sizes of its files, small ones whole, of weights 17 pieces spread over each file.
    A card that `dragoman card` wrote does not count.

    Reading all of a large checkpoint takes minutes; two trained ones differ everywhere.
    """
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and not is_card(p)):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as stream:
            for place in _PLACES if size > _WHOLE else (0.0,):
                stream.seek(int(place * (size - _PIECE)) if size > _WHOLE else 0)
                digest.update(stream.read(_PIECE if size > _WHOLE else -1))
    return digest.hexdigest()[:24]


_WHOLE, _PIECE = 16 << 20, 1 << 20
_PLACES = tuple(n / 16 for n in range(17))
