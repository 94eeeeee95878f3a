"""Muon: what it orthogonalises, how far it steps, and which weights it leaves to AdamW."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from tiny import tiny_model

from learner.engine import build_optimiser
from learner.muon import MuonAdamW, hidden_matrices, orthogonalised
from recipes import Recipe

SECTION = {**Recipe().sft.model_dump(), "optimiser": "muon"}


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_singular_values_go_near_one_and_singular_vectors_stay(shape):
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    for matrix, found in zip(matrices, orthogonalised(matrices), strict=True):
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        inside = left.T @ found @ right.T
        values = inside.diagonal()
        assert (inside - torch.diag(values)).abs().max() < 1e-3
        assert values.min() > 0.5 and values.max() < 1.3


def test_a_step_is_that_of_torch_s_own_muon_up_to_its_bfloat16():
    generator = torch.Generator().manual_seed(2)
    start, gradients = torch.randn(12, 30, generator=generator), torch.randn(3, 12, 30, generator=generator)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    own = MuonAdamW([{"params": [ours], "muon": True}], lr=0.02, weight_decay=0.1)
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        own.step()
        reference.step()
    moved = (theirs - start).norm()
    assert moved > 0.1
    assert (ours - theirs).norm() / moved < 0.02


def test_embeddings_norms_and_head_stay_with_adamw():
    for tied in (True, False):
        model = tiny_model(tie_embeddings=tied)
        names = {name for name, p in model.named_parameters() if p in hidden_matrices(model)}
        assert len(names) == 2 * 7
        assert all(name.endswith("_proj.weight") for name in names)


def test_adamw_s_share_takes_adamw_s_step():
    model, other = tiny_model(), tiny_model()
    muon = build_optimiser(model, SECTION)
    plain = build_optimiser(other, {**SECTION, "optimiser": "adamw"})
    for network, optimiser in ((model, muon), (other, plain)):
        for group in optimiser.param_groups:
            group["lr"] = 0.01
        network(input_ids=torch.tensor([[5, 6, 7, 8]])).logits.square().mean().backward()
        optimiser.step()
    hidden = hidden_matrices(model)
    for (name, ours), theirs in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs) == (ours not in hidden), name


def test_every_weight_has_exactly_one_group():
    model = tiny_model()
    grouped = [p for group in build_optimiser(model, SECTION).param_groups for p in group["params"]]
    assert len(grouped) == len({id(p) for p in grouped}) == len(list(model.parameters()))


@pytest.mark.parametrize("learner", [{"zero_stage": 2}, {"dtype": "bfloat16"}])
def test_a_recipe_that_would_flatten_the_matrices_is_refused(learner):
    with pytest.raises(ValueError, match=r"sft\.optimiser=muon needs whole matrices"):
        Recipe(sft=SECTION, learner=learner)
