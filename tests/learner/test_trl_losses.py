"""The policy loss against TRL's own code: `GRPOTrainer._compute_loss` of the installed version, given our tensors.

TRL works on padded [B, T] tensors, ours on packed rows; the same random answers go into both.
"""

from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from trl import GRPOTrainer

from dragoman.learner.losses import Cispo, Clipped, Correction, Gspo, KlPenalty, PolicyGradient

LENGTHS, LONGEST = (7, 3, 11, 1, 5, 9), 12
TOKENS = float(sum(LENGTHS))
COUNTS = {"tokens": TOKENS, "answer_tokens": TOKENS, "answers": float(len(LENGTHS))}


def random_answers(seed=0, spread=0.4):
    """Log-probs that differ enough to be clipped on both sides, as [B, T] with a mask."""
    rng = np.random.default_rng(seed)
    mask = torch.tensor(np.arange(LONGEST) < np.array(LENGTHS)[:, None], dtype=torch.float64)
    base = torch.tensor(-1.5 + 0.5 * rng.standard_normal(mask.shape))

    def near():
        return base + torch.tensor(spread * rng.standard_normal(mask.shape))

    return SimpleNamespace(
        mask=mask, now=near().requires_grad_(), old=near(), sampled=near(), reference=near(),
        advantages=torch.tensor(rng.standard_normal(len(LENGTHS))), entropy=(0.5 + near().abs()).requires_grad_(),
    )  # fmt: skip


def trl_loss(answers, kind, *, level="token", correction=None, beta=0.0, entropy=0.0, **args):
    """Loss of TRL's method, the trainer around it being the attributes it reads."""
    given = {"delta": None, "use_bias_correction_kl": False, "steps_per_generation": 1, **args}
    trainer = SimpleNamespace(
        args=SimpleNamespace(**given), loss_type=kind, importance_sampling_level=level, beta=beta,
        epsilon_low=given.get("low", 0.2), epsilon_high=given.get("high", 0.28), top_entropy_quantile=1.0,
        aux_loss_enabled=False, off_policy_mask_threshold=None, use_vllm=correction is not None,
        vllm_importance_sampling_correction=correction is not None, current_gradient_accumulation_steps=1,
        max_completion_length=LONGEST, model=SimpleNamespace(training=True), _entropy_bonus_enabled=entropy > 0,
        use_adaptive_entropy=False, entropy_coef=entropy, _metrics={"train": defaultdict(list)},
        accelerator=SimpleNamespace(
            num_processes=1, gather=lambda x: x, reduce=lambda x, reduction: x, sync_gradients=False
        ),
        _get_per_token_logps_and_entropies=lambda *_, **__: (answers.now, answers.entropy, None),
    )  # fmt: skip
    ids = torch.zeros_like(answers.mask, dtype=torch.long)
    inputs = {
        "prompt_ids": ids[:, :1], "prompt_mask": ids[:, :1], "completion_ids": ids, "completion_mask": answers.mask,
        "advantages": answers.advantages, "old_per_token_logps": answers.old, "num_items_in_batch": answers.mask.sum(),
        "ref_per_token_logps": answers.reference, "importance_sampling_ratio": correction,
    }  # fmt: skip
    return GRPOTrainer._compute_loss(trainer, None, inputs)


def our_loss(answers, loss, counts=COUNTS):
    """The same answers one behind the other in one packed row, padding at its end."""
    inside = answers.mask.bool()

    def packed(values):
        return torch.cat([values[inside], torch.zeros(4, dtype=values.dtype)])[None]

    owners = torch.tensor([row for row, length in enumerate(LENGTHS) for _ in range(length)] + [-1] * 4)
    whole = answers.advantages[:, None].expand_as(answers.mask)
    behaviour = answers.old if loss.correction.kind == "none" else answers.sampled
    batch = {
        "sequence_ids": owners[None], "loss_mask": packed(answers.mask), "advantages": packed(whole),
        "behaviour_logprobs": packed(behaviour), "proximal_logprobs": packed(answers.old),
        "reference_logprobs": packed(answers.reference),
    }  # fmt: skip
    stats = SimpleNamespace(logprobs=packed(answers.now), entropy=packed(answers.entropy))
    return loss(stats, batch, counts).loss


def assert_equal(theirs, ours):
    """Loss and gradients of both, on the same answers."""
    expected, found = random_answers(), random_answers()
    theirs(expected).backward()
    loss = ours(found)
    loss.backward()
    assert loss.item() == pytest.approx(theirs(expected).item(), rel=1e-9, abs=1e-9)
    torch.testing.assert_close(found.now.grad, expected.now.grad, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(found.entropy.grad, expected.entropy.grad, atol=1e-9, rtol=1e-9)
    assert found.now.grad.abs().max() > 1e-4


@pytest.mark.parametrize(("kind", "mean"), [("dapo", "tokens"), ("grpo", "answers")])
def test_clipped(kind, mean):
    assert_equal(lambda a: trl_loss(a, kind), lambda a: our_loss(a, PolicyGradient(mean=mean)))


def test_clipped_over_a_constant():
    counts = {**COUNTS, "tokens": float(len(LENGTHS) * LONGEST)}
    assert_equal(lambda a: trl_loss(a, "dr_grpo"), lambda a: our_loss(a, PolicyGradient(), counts))


def test_dual_clip():
    def ours(answers):
        return our_loss(answers, PolicyGradient(Clipped(dual_clip=1.5)))

    assert_equal(lambda a: trl_loss(a, "dapo", delta=1.5), ours)
    plain, dual = (our_loss(random_answers(), PolicyGradient(Clipped(dual_clip=d))).item() for d in (None, 1.5))
    assert plain != dual


def test_gspo():
    def ours(answers):
        return our_loss(answers, PolicyGradient(Gspo(0.05, 0.07), mean="answers"))

    assert_equal(lambda a: trl_loss(a, "grpo", level="sequence", low=0.05, high=0.07), ours)


def test_cispo():
    assert_equal(lambda a: trl_loss(a, "cispo", high=1.3), lambda a: our_loss(a, PolicyGradient(Cispo(0.3))))


@pytest.mark.parametrize("weighted", [False, True])
def test_kl_in_the_loss(weighted):
    def theirs(answers):
        return trl_loss(answers, "dapo", beta=0.3, use_bias_correction_kl=weighted)

    assert_equal(theirs, lambda a: our_loss(a, PolicyGradient(kl=KlPenalty(0.3, "k3", weighted))))


def test_entropy_bonus():
    assert_equal(
        lambda a: trl_loss(a, "grpo", entropy=0.2),
        lambda a: our_loss(a, PolicyGradient(mean="answers", entropy_coefficient=0.2)),
    )


@pytest.mark.parametrize(
    ("kind", "level", "cap", "floor"),
    [("mask", "sequence", 3.0, 0.0), ("truncate", "sequence", 1.5, None), ("mask", "token", 1.4, 0.0),
     ("truncate", "token", 1.1, None), ("mask", "token", 1.6, 0.7)],
)  # fmt: skip
def test_corrections(kind, level, cap, floor):
    """TRL's ratio as it stands in `_generate_and_score_completions`: exp, sum over the answer, clamp or masked_fill."""

    def theirs(answers):
        difference = (answers.old - answers.sampled) * answers.mask
        ratio = (difference.sum(-1, keepdim=True) if level == "sequence" else difference).exp()
        dropped = (ratio > cap) | (ratio < (floor or 0.0))
        weight = ratio.clamp(max=cap) if kind == "truncate" else ratio.masked_fill(dropped, 0.0)
        assert 0 < float((dropped & (answers.mask > 0)).sum()) < TOKENS
        return trl_loss(answers, "dapo", correction=weight)

    assert_equal(theirs, lambda a: our_loss(a, PolicyGradient(correction=Correction(kind, level, cap, floor))))
