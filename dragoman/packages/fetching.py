"""Fetching: pip or apt brings a file, its sha256 decides whether it is the one meant, a cache keeps it.

    cache/wheels/NAME-VERSION-SHA.whl
    cache/debs/NAME-VERSION-SHA.deb

A file that lies there is taken without asking anyone, so one that came by another way can be put there by hand.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dragoman.packages.downloading import download
from dragoman.packages.errors import PackageError
from dragoman.packages.licences import check_accepted
from dragoman.packages.records import Package

BLOCK = 1 << 20


def cache_folder() -> Path:
    """Where packages and converted models are kept: DRAGOMAN_CACHE, or `dragoman` in the user's cache folder."""
    own = os.environ.get("DRAGOMAN_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(own or f"{shared}/dragoman").expanduser().resolve()


def fetch(package: Package, accepted: Iterable[str] = (), cache: Path | None = None) -> Path:
    """The package's file, from the cache or from the index that pip or apt is set up for.

    `accepted` names licences. Raises PackageError when the licence needs to be accepted, when there is no such file to
    be had, and when it is another one than the table says; that file is removed.
    """
    check_accepted([package], accepted)
    target = (cache or cache_folder()) / f"{package.origin}s" / package.file_name
    if target.is_file() and sha256_of(target) == package.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f"fetching {package.title} ({package.licence}): {package.note}", file=sys.stderr, flush=True)
    aside = Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    try:
        found = download(package, aside, target)
        _check_sha256(package, found)
        os.replace(found, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _check_sha256(package: Package, file: Path) -> None:
    found = sha256_of(file)
    if found != package.sha256:
        raise PackageError(
            f"{package.title} came with sha256 {found[:16]}… instead of {package.sha256[:16]}…, so it was removed; "
            f"point {'pip' if package.origin == 'wheel' else 'apt'} at an index that has the file of the table "
            "(dragoman/packages/table.py), or check the new file and change the table"
        )
