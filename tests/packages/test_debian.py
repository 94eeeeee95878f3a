"""Packages of Debian: fetched with the real apt from a repository in a folder, read without dpkg."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.packages.archives import matching_files
from dragoman.packages.errors import PackageError
from dragoman.packages.fetching import cache_folder, fetch
from dragoman.packages.records import Package

sys.path.insert(0, str(Path(__file__).parent))
from debs import deb, offer_deb

FILES = {
    "usr/share/help/C/tiny/a.page": "<page/>",
    "usr/share/help/de/tiny/a.page": "<page>Haus</page>",
    "usr/share/help/de/tiny/link.page": None,
    "usr/share/doc/tiny/copyright": "CC",
}
PAGES = r"usr/share/help/([^/]+)/tiny/(\w+)\.page"


def package(path, sha256=None, version="1.0-2"):
    sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return Package("tiny-manuals", version, sha256, "MIT", "in the package", "texts", "deb")


@pytest.fixture
def offered(tmp_path, monkeypatch):
    return offer_deb(tmp_path, monkeypatch, FILES)


@pytest.mark.parametrize("compression", ["xz", "gz", ""])
def test_the_files_of_a_package_are_read_by_name(tmp_path, compression):
    path = deb(tmp_path / "tiny.deb", FILES, compression=compression)
    found = [(match[1], match[2], content) for match, content in matching_files(path, PAGES)]
    assert found == [("C", "a", b"<page/>"), ("de", "a", b"<page>Haus</page>")]  # no link is followed


def test_dpkg_reads_the_same(tmp_path):
    path = deb(tmp_path / "tiny.deb", FILES)
    subprocess.run(["dpkg-deb", "-x", path, tmp_path / "out"], check=True)
    found = {match[0]: content for match, content in matching_files(path, r"usr/.*")}
    unpacked = [p for p in (tmp_path / "out").rglob("*") if p.is_file() and not p.is_symlink()]
    assert found == {str(p.relative_to(tmp_path / "out")): p.read_bytes() for p in unpacked} and len(found) == 3


@pytest.mark.parametrize("content", [b"", b"no archive", b"!<arch>\n", b"!<arch>\n" + b"x" * 60])
def test_what_is_no_package_is_said(tmp_path, content):
    (path := tmp_path / "x.deb").write_bytes(content)
    with pytest.raises(PackageError, match=r"x.deb is no package of Debian that can be read; remove the file"):
        list(matching_files(path, ".*"))


def test_a_package_is_fetched_once_and_without_lists_of_the_system(offered):
    found = fetch(package(offered))
    assert found.parent == cache_folder() / "debs" and found.read_bytes() == offered.read_bytes()
    assert [p.name for p in found.parent.iterdir()] == [found.name]
    shutil.rmtree(offered.parent)
    assert fetch(package(found)) == found


def test_a_version_that_is_gone_is_named_with_the_place_to_put_it(offered):
    with pytest.raises(
        PackageError,
        match=r"apt cannot fetch tiny-manuals 1.0-1 \(Version '1.0-1' for 'tiny-manuals' was not found\); .*"
        r"apt-cache policy tiny-manuals.*put Debian's tiny-manuals_1.0-1_all.deb with sha256 0{16}… at "
        r".*/cache/debs/tiny-manuals-1.0-1-0{16}.deb",
    ):
        fetch(package(offered, "0" * 64, "1.0-1"))


def test_a_machine_without_apt_is_told_where_to_put_the_file(offered, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = package(offered)
    with pytest.raises(PackageError, match=r"this machine has no apt-get to bring it; put Debian's tiny-manuals_"):
        fetch(wanted)
    by_hand = cache_folder() / "debs" / wanted.file_name
    by_hand.write_bytes(offered.read_bytes())
    assert fetch(wanted) == by_hand


def test_another_file_than_meant_is_refused(offered):
    with pytest.raises(PackageError, match=r"came with sha256 .* instead of 0{16}.*point apt at an index"):
        fetch(package(offered, "0" * 64))
    assert not list(cache_folder().rglob("*.deb"))
