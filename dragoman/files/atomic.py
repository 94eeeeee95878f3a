"""The one way files and folders are written: aside, synced to disk, renamed.

A process that is killed leaves the old file or the new one, and at most something called `.NAME.partial` (a file) or
whatever name its writer chose for a folder that is being filled.
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_text(path: Path, parts: str | Iterable[str]) -> None:
    """Write a text, or its parts one after the other; the folder is made where it is missing."""
    write_bytes(path, (part.encode("utf-8") for part in ([parts] if isinstance(parts, str) else parts)))


def write_bytes(path: Path, parts: bytes | Iterable[bytes]) -> None:
    """As `write_text`, for content that is no UTF-8 text, or whose ends of lines are its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.partial")
    with aside.open("wb") as stream:
        stream.writelines([parts] if isinstance(parts, bytes) else parts)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, path)
    _sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False))


def publish_folder(aside: Path, target: Path) -> None:
    """Put a folder that has been filled in the place of `target`, every file of it on disk."""
    for file in aside.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    shutil.rmtree(target, ignore_errors=True)
    os.replace(aside, target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
