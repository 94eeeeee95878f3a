"""Packages of Debian made by the tests, in a folder that is apt's only source."""

from __future__ import annotations

import hashlib
import io
import tarfile

CONTROL = "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: tests\nDescription: tiny\n"


def tarred(files, compression="xz"):
    """A tar archive of texts by name; of a link where the text is None."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"./{name}")
            content = (text or "").encode()
            member.size = len(content)
            if text is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def deb(path, files, name="tiny-manuals", version="1.0-2", compression="xz"):
    """A package as deb(5) describes it: an ar archive of three members."""
    control = tarred({"control": CONTROL.format(name=name, version=version)}, "gz")
    ending = {"": "", "xz": ".xz", "gz": ".gz"}[compression]
    members = (
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", control),
        (f"data.tar{ending}", tarred(files, compression)),
    )
    content = b"!<arch>\n"
    for member, data in members:
        content += f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data
        content += b"\n" * (len(data) % 2)
    path.write_bytes(content)
    return path


def offer_deb(tmp_path, monkeypatch, files, name="tiny-manuals", version="1.0-2"):
    """A repository with one package as apt's only source, no list of it yet, and a cache of the test's own."""
    folder = tmp_path / "repository"
    folder.mkdir()
    path = deb(folder / f"{name}_{version}_all.deb", files, name, version)
    content = path.read_bytes()
    (folder / "Packages").write_text(
        f"{CONTROL.format(name=name, version=version)}Filename: ./{path.name}\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
    )
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{folder} ./\n")
    for part in ("none", "state/lists/partial", "archives/partial"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::main "/dev/null"; Dir::Etc::parts "{tmp_path / "none"}";\n'
        f'Dir::Etc::sourcelist "{tmp_path / "sources.list"}"; Dir::Etc::sourceparts "{tmp_path / "none"}";\n'
        f'Dir::State "{tmp_path / "state"}"; Dir::Cache "{tmp_path}"; APT::Sandbox::User "root";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    return path
