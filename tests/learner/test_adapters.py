"""Merged weights equal peft's own merge, and a model with them answers as the adapted one does."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent))
from test_head import KINDS, micro_batch, network

from dragoman.learner.adapters import (
    adapter_base,
    adapter_factors,
    add_adapters,
    exported_weights,
    merged_weights,
)
from dragoman.learner.forward import token_statistics
from dragoman.learner.settings import AdapterSettings


def adapted(kind, adapter):
    model = add_adapters(network(kind), AdapterSettings(kind=adapter, rank=4))
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_" in name:  # fresh ones change nothing
            parameter.data += 0.1 * torch.rand_like(parameter)
    return model.train()


@pytest.mark.parametrize("adapter", ["lora", "dora"])
@pytest.mark.parametrize("kind", KINDS)
def test_exported_weights_are_pefts_merge_under_the_names_of_the_base(kind, adapter):
    model, tensors = adapted(kind, adapter), micro_batch()
    exported = {name: weight.value().clone() for name, weight in exported_weights(model).items()}
    with torch.no_grad():
        before = token_statistics(model, tensors).logprobs
    merged = model.merge_and_unload()
    named = dict(merged.named_parameters())
    assert exported.keys() == named.keys() == dict(network(kind).named_parameters()).keys()
    for name, value in exported.items():
        torch.testing.assert_close(value, named[name], atol=1e-5, rtol=1e-5)
    fresh = network(kind)
    fresh.load_state_dict(exported, strict=False)
    with torch.no_grad():
        torch.testing.assert_close(token_statistics(fresh, tensors).logprobs, before, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("adapter", ["lora", "dora"])
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_has_the_folder_and_the_factors_has_the_weights(tmp_path, kind, adapter):
    network(kind).save_pretrained(tmp_path)
    model = adapted(kind, adapter)
    base = adapter_base(model, tmp_path, "float32")
    assert base is not None and base.scaling == 2.0  # alpha is twice the rank
    factors = {name: one.value().clone() for name, one in adapter_factors(model).items()}
    assert {name.rpartition("#")[2] for name in factors} == set("abm" if adapter == "dora" else "ab")
    elsewhere = dict(merged_weights(base, factors))
    for name, weight in exported_weights(model).items():
        if name in elsewhere:  # a tied head is stored once
            assert torch.equal(elsewhere[name], weight.value()), name
    assert {name.rpartition("#")[0] for name in factors} <= set(elsewhere)
    assert all(one.shape == tuple(one.value().shape) for one in adapter_factors(model).values())


def test_a_folder_with_other_names_leaves_merging_to_the_learner(tmp_path):
    save_file({"encoder.weight": torch.ones(2)}, tmp_path / "model.safetensors")
    assert adapter_base(adapted("qwen", "lora"), tmp_path, "float32") is None


def test_fresh_adapters_change_nothing_and_only_they_are_trained():
    model, tensors = network("qwen"), micro_batch()
    plain = token_statistics(model, tensors).logprobs
    model = add_adapters(model, AdapterSettings(kind="dora"))
    torch.testing.assert_close(token_statistics(model, tensors).logprobs, plain)
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert trained and all("lora_" in name for name in trained)


def test_shapes_are_known_before_anything_is_merged():
    for weight in exported_weights(adapted("qwen", "lora")).values():
        assert weight.shape == tuple(weight.value().shape)
