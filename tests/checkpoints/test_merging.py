"""Two checkpoints interpolated: weights by hand, files that transformers opens, tied heads, and what is refused."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from dragoman.checkpoints.errors import CheckpointError
from dragoman.checkpoints.merging import interpolate
from tests.learner.tiny import tiny_model

TOKENS = torch.tensor([[5, 17, 33, 60]])


def saved(folder, seed, dtype=torch.float32, shard="1GB", **changes):
    tiny_model(seed, **changes).to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "tokenizer.json").write_text(json.dumps({"of": folder.name}))
    return folder


def opened(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()


@pytest.mark.parametrize("tied", [True, False])
def test_every_weight_lies_between_and_the_ends_are_the_models_themselves(tmp_path, tied):
    first, second = (saved(tmp_path / name, k, tie_embeddings=tied) for k, name in enumerate(("first", "second")))
    interpolate(first, second, 0.25, tmp_path / "merged")
    one, other, merged = (dict(opened(f).named_parameters()) for f in (first, second, tmp_path / "merged"))
    assert set(merged) == set(one) and ("lm_head.weight" in merged) != tied
    for name, weight in merged.items():
        assert torch.allclose(weight, 0.75 * one[name] + 0.25 * other[name], atol=1e-7), name
    for weight, end in ((0.0, first), (1.0, second)):
        interpolate(first, second, weight, tmp_path / f"at {weight:g}")
        assert torch.equal(opened(tmp_path / f"at {weight:g}")(TOKENS).logits, opened(end)(TOKENS).logits)
    assert json.loads((tmp_path / "merged/tokenizer.json").read_text()) == {"of": "second"}


def test_a_tied_head_is_stored_once_and_bfloat16_is_summed_in_float32(tmp_path):
    first, second = (saved(tmp_path / name, k, torch.bfloat16) for k, name in enumerate(("first", "second")))
    interpolate(first, second, 0.3, tmp_path / "merged")
    stored = load_file(tmp_path / "merged/model.safetensors")
    assert "lm_head.weight" not in stored
    one, other = (load_file(f / "model.safetensors")["model.embed_tokens.weight"] for f in (first, second))
    expected = (0.7 * one.double() + 0.3 * other.double()).bfloat16()
    found = stored["model.embed_tokens.weight"]
    assert found.dtype == torch.bfloat16 and (found == expected).float().mean() > 0.999


def test_models_in_other_files_are_matched_by_name(tmp_path):
    first, second = saved(tmp_path / "first", 0), saved(tmp_path / "second", 1, shard="20KB")
    assert len(list(second.glob("*.safetensors"))) > 1
    interpolate(first, second, 0.5, tmp_path / "merged")
    assert {f.name for f in (tmp_path / "merged").iterdir()} == {f.name for f in second.iterdir()}
    one, other, merged = (dict(opened(f).named_parameters()) for f in (first, second, tmp_path / "merged"))
    assert all(torch.allclose(merged[n], (one[n] + other[n]) / 2, atol=1e-7) for n in merged)


def test_two_networks_are_refused_and_nothing_is_left(tmp_path):
    first = saved(tmp_path / "first", 0)
    for name, changes, words in (
        ("deeper", {"layers": 3}, r"deeper holds 'model\.layers\.2.* and .*first does not"),
        ("wider", {"intermediate_size": 96}, r"\[32, 64\] in .*first and \[32, 96\] in .*wider"),
        ("untied", {"tie_embeddings": False}, r"untied holds 'lm_head\.weight' and .*first does not"),
    ):
        with pytest.raises(CheckpointError, match=words):
            interpolate(first, saved(tmp_path / name, 1, **changes), 0.5, tmp_path / "merged")
    with pytest.raises(CheckpointError, match="holds no weights"):
        interpolate(first, tmp_path, 0.5, tmp_path / "merged")
    with pytest.raises(ValueError, match="1\\.5; it must lie in"):
        interpolate(first, first, 1.5, tmp_path / "merged")
    assert not list(tmp_path.glob("merged*"))
