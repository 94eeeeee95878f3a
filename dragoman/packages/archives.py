"""Wheels read as the ZIP files they are; nothing of them is installed or imported."""

import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dragoman.packages.errors import PackageError


def read_member(wheel: Path, member: str) -> bytes:
    """One file of a wheel; PackageError when there is none of that name."""
    with _opened(wheel) as archive:
        try:
            return archive.read(member)
        except KeyError:
            raise PackageError(
                f"{wheel.name} holds no {member}; remove the file, so that it is fetched again"
            ) from None


def matching_members(wheel: Path, pattern: str) -> Iterator[tuple[re.Match[str], bytes]]:
    """The files of a wheel whose whole name matches, in alphabetical order, with what matched."""
    with _opened(wheel) as archive:
        for name in sorted(archive.namelist()):
            if match := re.fullmatch(pattern, name):
                yield match, archive.read(name)


def _opened(wheel: Path) -> ZipFile:
    try:
        return ZipFile(wheel)
    except BadZipFile:
        raise PackageError(f"{wheel} is no wheel; remove the file, so that it is fetched again") from None
