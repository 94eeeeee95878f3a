"""Answers that hold their prompt once: laid out exactly, with the values and gradients of whole sequences."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from test_head import network
from test_invariance import counts_of, near
from test_packed_attention import windowed
from tiny import VOCABULARY

from dragoman.learner.forward import to_tensors, token_statistics
from dragoman.learner.losses import Correction, Gspo, PolicyGradient, Preference
from dragoman.learner.packed_attention import use
from dragoman.learner.packing import TokenSequence, pack, unpack

CPU = torch.device("cpu")
PROMPTS, ANSWERS = (20, 5, 31), (9, 1, 14, 6)


def answers(prompts=PROMPTS, lengths=ANSWERS, seed=0):
    """For each prompt length some answers, with the channels that the losses below read."""
    rng = np.random.default_rng(seed)
    found = []
    for number, size in enumerate(prompts):
        prompt = rng.integers(5, VOCABULARY, size)
        for n in lengths:
            mask = np.concatenate([np.zeros(size), np.ones(n)]).astype(np.float32)
            own = {"behaviour_logprobs": near(rng, size + n), "advantages": rng.standard_normal(size + n)}
            own["reference_logprobs"] = own["behaviour_logprobs"]
            ids = np.concatenate([prompt, rng.integers(5, VOCABULARY, n)]).astype(np.int32)
            channels = {"loss_mask": mask, **{name: (v * mask).astype(np.float32) for name, v in own.items()}}
            found.append(TokenSequence(ids, channels, f"{number}"))
    return found


def single(items):
    return [(item,) for item in items]


def micro_batches(units, ranks=1, row_tokens=128, rows=4, share=True):
    cut = {"ranks": ranks, "row_tokens": row_tokens, "rows_per_micro_batch": rows}
    return pack(units, **cut, share_prompts=share)


def test_a_prompt_is_held_once_and_one_that_is_too_short_with_every_answer():
    items = answers()
    ((batch,),) = micro_batches(single(items), row_tokens=300, rows=1)
    held = int((batch.sequence_ids >= 0).sum())
    assert held == sum(PROMPTS) + 3 * PROMPTS[1] + len(PROMPTS) * sum(ANSWERS)  # 5 tokens are too short
    seen = set()
    for local, index in enumerate(batch.order):
        here = batch.sequence_ids == local
        start = int(batch.position_ids[here][0])
        assert batch.token_ids[here].tolist() == items[index].token_ids[start:].tolist()
        assert batch.position_ids[here].tolist() == list(range(start, len(items[index].token_ids)))
        assert batch.channels["advantages"][here].tolist() == items[index].channels["advantages"][start:].tolist()
        prompt = PROMPTS[index // len(ANSWERS)]
        assert start == (prompt if prompt in seen and prompt != 5 else 0)
        seen.add(prompt)


def test_values_come_back_in_whole_length_with_zeros_on_a_shared_prompt():
    items = answers()
    batches = micro_batches(single(items), ranks=2, row_tokens=60, rows=1)
    back = unpack(batches, [[b.channels["behaviour_logprobs"] for b in rank] for rank in batches])
    for item, value in zip(items, back, strict=True):
        assert value.tolist() == item.channels["behaviour_logprobs"].tolist()


@pytest.mark.parametrize("ranks", [1, 4])
def test_a_family_that_fits_no_row_is_dealt_in_parts_each_with_its_prompt(ranks):
    items = answers(prompts=(20,), lengths=(30,) * 10)
    batches = micro_batches(single(items), ranks=ranks, row_tokens=100, rows=1)
    parts = [b for rank in batches for b in rank if b.sequences]
    assert sorted(i for b in parts for i in b.order) == list(range(10))
    for b in parts:
        assert b.token_ids.shape[1] <= 100
        assert sorted(int(b.position_ids[b.sequence_ids == n][0]) for n in range(b.sequences)) == [
            0, *[20] * (b.sequences - 1)
        ]  # fmt: skip
    assert len({len(rank) for rank in batches}) == 1
    assert len(parts) == 5 if ranks == 1 else len(parts) <= 8  # 320 tokens fill four rows, whose prompts make it five


@pytest.mark.parametrize("mask", [None, np.zeros(12, np.float32), np.ones(12, np.float32)])
def test_nothing_is_shared_without_a_prompt_before_the_loss(mask):
    same = TokenSequence(np.arange(12, dtype=np.int32), {} if mask is None else {"loss_mask": mask})
    ((batch,),) = micro_batches(single([same, same]), rows=1)
    assert (batch.sequence_ids >= 0).sum() == 24


def weighted(model, loss, units, **cut):
    """The loss summed over micro-batches, and the gradient of everything."""
    items = [s for unit in units for s in unit]
    model.zero_grad()
    total = 0.0
    for rank in micro_batches(units, **cut):
        for batch in rank:
            tensors = to_tensors(batch, CPU)
            output = loss(token_statistics(model, tensors), tensors, counts_of(items))
            output.loss.backward()
            total += output.loss.item()
    return total, torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("kind", ["qwen", "llama, untied", "gemma 3", "gemma 3, window"])
@pytest.mark.parametrize("name", ["clipped", "gspo", "preference"])
def test_losses_and_gradients_are_those_of_whole_sequences_however_they_are_cut(kind, name):
    model = windowed() if kind == "gemma 3, window" else network(kind)
    use(model)
    items = answers()
    pairs = list(zip(items[::2], items[1::2], strict=True))
    units, loss = (pairs, Preference(0.3, weighted=True, likelihood_weight=0.2)) if name == "preference" else (
        single(items),
        PolicyGradient(Gspo(0.1, 0.1), "answers", Correction("truncate", "sequence"))
        if name == "gspo"
        else PolicyGradient(correction=Correction("truncate")),
    )  # fmt: skip
    wanted, whole = weighted(model, loss, units, share=False)
    assert whole.abs().max() > 1e-3
    for cut in [{}, {"row_tokens": 60, "rows": 1}, {"ranks": 2, "row_tokens": 70, "rows": 2}]:
        found, shared = weighted(model, loss, units, **cut)
        assert found == pytest.approx(wanted, rel=1e-5)
        assert (shared - whole).abs().max() <= 1e-5 * max(1.0, float(whole.abs().max()))
