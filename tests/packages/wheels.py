"""Wheels made by the tests, in a folder that is pip's only source."""

from __future__ import annotations

import zipfile


def wheel(folder, name="tiny-texts", version="1.0", requires="", files=None):
    """A wheel as pip takes it."""
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in (files or {"tiny/de.txt": "Haus"}).items():
            archive.writestr(member, text)
        needs = f"Requires-Python: {requires}\n" if requires else ""
        archive.writestr(
            f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        )
        archive.writestr(
            f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return path


def offer(tmp_path, monkeypatch):
    """A folder that is pip's only source, and a cache of the test's own; returns the folder."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    return folder
