"""From a recipe's `package:NAME` to a folder: fetched, joined from its pieces, converted once, whole or not there."""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from dragoman.packages import MODELS, PackageError, cache_folder, resolve_model
from dragoman.packages.models import folder_of
from dragoman.packages.records import Package, PackagedModel

sys.path.insert(0, str(Path(__file__).parent))
from gguf_samples import byte_level_vocabulary, random_model, write_gguf
from wheels import offer, wheel


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A packaged model whose GGUF file lies in two wheels."""
    index = offer(tmp_path, monkeypatch)
    content = write_gguf(
        tmp_path / "t.gguf", "llama", random_model("llama"), byte_level_vocabulary("smollm")
    ).read_bytes()
    packages, members = [], []
    for number, piece in enumerate((content[:50_000], content[50_000:])):
        path = wheel(index, f"tiny-part{number}", files={f"tiny/part{number}": piece})
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        packages.append(Package(f"tiny-part{number}", "1.0", sha256, "Tiny terms", "LICENSE", "a piece"))
        members.append(f"tiny/part{number}")
    sha256 = hashlib.sha256(content).hexdigest()
    model = PackagedModel("tiny", tuple(packages), tuple(members), sha256, "<|turn|>", "<|end|>")
    monkeypatch.setitem(MODELS, "tiny", model)
    return model


def test_a_model_is_converted_once_and_opens(tiny):
    folder = resolve_model("package:tiny", ["tiny TERMS"])
    assert folder == folder_of(tiny, cache_folder())
    assert (
        AutoModelForCausalLM.from_pretrained(folder).num_parameters()
        == json.loads((folder / "PROVENANCE.json").read_text())["parameters"]
    )
    assert AutoTokenizer.from_pretrained(folder).eos_token == "<|turn|>"
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert resolve_model("package:tiny", ["Tiny terms"]) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    licences = {package["licence"] for package in json.loads((folder / "PROVENANCE.json").read_text())["packages"]}
    assert licences == {"Tiny terms"}


def test_a_licence_is_asked_for_though_the_model_is_cached(tiny):
    resolve_model("package:tiny", ["Tiny terms"])
    with pytest.raises(PackageError, match="Tiny terms, which is not permissive"):
        resolve_model("package:tiny")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sha256": "0" * 64}, "the GGUF file of tiny is not the one with sha256 0000"),
        ({"turn_end": "<|im_end|>"}, "no token '<|im_end|>'".replace("|", r"\|")),
        ({"members": ("tiny/part0", "tiny/part9")}, "holds no tiny/part9"),
    ],
)
def test_nothing_half_converted_stays(tiny, monkeypatch, changes, told):
    monkeypatch.setitem(MODELS, "tiny", replace(tiny, **changes))
    with pytest.raises(PackageError, match=told):
        resolve_model("package:tiny", ["Tiny terms"])
    assert not list((cache_folder() / "models").iterdir())
