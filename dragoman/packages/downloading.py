"""How a package's file comes: pip brings wheels, apt packages of Debian. Neither needs root, neither installs anything.

Both run as commands of their own, so their configuration (index, proxy, certificates) is the user's. Of Python packages
wheels only: building an archive of sources would run its code. Requirements on Python's version are set aside, because
nothing is installed. apt asks its lists first; where it has none of the package, as in most containers, lists of our
own are made beside the download and dropped again.
"""

import subprocess
import sys
from pathlib import Path

from dragoman.packages.errors import PackageError
from dragoman.packages.records import Package

_STDERR = 2
Done = subprocess.CompletedProcess[str]


def download(package: Package, folder: Path, target: Path) -> Path:
    """The package's one file, in an empty folder; nothing of it is checked yet.

    `target` is where the cache keeps it, for messages. Raises PackageError when pip or apt does not have it or is not
    there.
    """
    return _by_pip(package, folder) if package.origin == "wheel" else _by_apt(package, folder, target)


def _by_pip(package: Package, folder: Path) -> Path:
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--no-deps",
        "--ignore-requires-python", "--only-binary", ":all:", "--dest", str(folder),
        f"{package.name}=={package.version}",
    ]  # fmt: skip
    done = subprocess.run(command, stdout=_STDERR, stderr=subprocess.PIPE, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise PackageError(
            f"pip cannot fetch {package.title} ({_reason(done.stderr, 'ERROR: ')}); check the network and the index "
            f"that pip uses (pip config list), or put the wheel with sha256 {package.sha256[:16]}… there"
        )
    return wheels[0]


def _by_apt(package: Package, folder: Path, target: Path) -> Path:
    put = f"put Debian's {package.name}_{package.version}_all.deb with sha256 {package.sha256[:16]}… at {target}"
    try:
        done = _apt(["download", f"{package.name}={package.version}"], folder)
    except FileNotFoundError:
        raise PackageError(
            f"{package.title} is a package of Debian, and this machine has no apt-get to bring it; {put}"
        ) from None
    if done.returncode:
        own = _own_lists(folder)
        _apt([*own, "update"], folder)
        done = _apt([*own, "download", f"{package.name}={package.version}"], folder)
    files = sorted(folder.glob("*.deb"))
    if done.returncode or len(files) != 1:
        raise PackageError(
            f"apt cannot fetch {package.title} ({_reason(done.stderr, 'E: ')}); check the network and that apt's "
            f"sources have this very version (apt-cache policy {package.name}), or {put}"
        )
    return files[0]


def _own_lists(folder: Path) -> list[str]:
    """Options that keep apt's state in a folder."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    return ["-o", f"Dir::State={folder / 'state'}", "-o", f"Dir::Cache={folder / 'cache'}"]


def _apt(arguments: list[str], folder: Path) -> Done:
    return subprocess.run(["apt-get", "-q", *arguments], cwd=folder, stdout=_STDERR, stderr=subprocess.PIPE, text=True)


def _reason(text: str, mark: str) -> str:
    errors = [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark)]
    return errors[-1] if errors else "it said nothing"
