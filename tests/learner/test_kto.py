"""KTO: TRL's own `_compute_loss` on random logits, one group by hand, and which answers are mismatched."""

import math
from collections import defaultdict
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from trl import KTOTrainer

from dragoman.data.rows import DataError
from dragoman.learner.losses import Kto
from dragoman.learner.packing import TokenSequence
from pretrain_sft.preference.kto import grouped, mismatched_sequences, partners
from pretrain_sft.preference.pairs import Answer, Pair
from pretrain_sft.preference.source import pair_sequences
from tests.learner.test_losses import stats

WORDS = 11


def random_pairs(count, seed):
    rng = np.random.default_rng(seed)

    def ids(low, high):
        return tuple(int(i) for i in rng.integers(0, WORDS, rng.integers(low, high)))

    return [Pair(str(n), (n % WORDS, *ids(1, 4)), Answer(ids(1, 7), "", 1), Answer(ids(1, 7), "", 0), False)
            for n in range(count)]  # fmt: skip


def logprobs(table, ids):
    """Of each token after the one before it; 0 for the first."""
    values = torch.log_softmax(table.double(), -1)
    return [0.0, *(float(values[a, b]) for a, b in pairwise(ids))]


def ours(units, policy, parent, loss):
    """The loss on groups laid out as one row."""
    sequences = [s for unit in units for s in unit]
    rows = {"loss_mask": [], "reference_logprobs": [], "group": [], "sequence_ids": []}
    told = []
    for number, s in enumerate(sequences):
        told += logprobs(policy, s.token_ids)
        rows["reference_logprobs"] += logprobs(parent, s.token_ids)
        rows["loss_mask"] += list(s.channels["loss_mask"])
        rows["group"] += list(s.channels["group"])
        rows["sequence_ids"] += [number] * len(s.token_ids)
    channels = {name: torch.tensor([values], dtype=torch.float64) for name, values in rows.items()}
    channels["sequence_ids"] = channels["sequence_ids"].long()
    given = stats(told)
    given = type(given)(**{**vars(given), "logprobs": torch.tensor([told], dtype=torch.float64)})
    return loss(given, channels, {"pairs": len(sequences) / 4})


def padded(sequences):
    width = max(len(s.token_ids) for s in sequences)
    ids = torch.zeros(len(sequences), width, dtype=torch.long)
    mask = torch.zeros(len(sequences), width, dtype=torch.long)
    for row, s in enumerate(sequences):
        ids[row, : len(s.token_ids)] = torch.tensor(s.token_ids)
        mask[row, : len(s.token_ids)] = torch.tensor(s.channels["loss_mask"])
    return ids, mask


def trls(units, policy, parent, loss):
    """TRL's loss of one device batch."""

    class Model:
        training = True

        def __call__(self, input_ids, labels, **_):
            told = torch.log_softmax(policy.double(), -1)[input_ids[:, :-1]]
            each = told.gather(-1, input_ids[:, 1:, None]).squeeze(-1) * (labels[:, 1:] != -100)
            return SimpleNamespace(log_probs=each, entropy=each * 0, mean_logits=each * 0)

    matched = [s for unit in units for s in unit[:2]]
    mismatched = [s for unit in units for s in unit[2:]]
    reference = {
        name: torch.tensor([np.dot(logprobs(parent, s.token_ids), s.channels["loss_mask"]) for s in found])
        for name, found in (("ref_logps", matched), ("ref_KL_logps", mismatched))
    }
    (ids, mask), (kl_ids, kl_mask) = padded(matched), padded(mismatched)
    batch = {
        "input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask, "KL_input_ids": kl_ids,
        "KL_attention_mask": torch.ones_like(kl_ids), "KL_completion_mask": kl_mask,
        "label": torch.tensor([True, False] * len(units)), **reference,
    }  # fmt: skip
    trainer = SimpleNamespace(
        accelerator=SimpleNamespace(device="cpu", gather_for_metrics=lambda value: value), calculate_KL=True,
        aux_loss_enabled=False, precompute_ref_logps=True, loss_type="kto", beta=loss.beta, model=Model(),
        desirable_weight=loss.desirable, undesirable_weight=loss.undesirable, _tp_size=1, _total_train_tokens=0,
        _metrics={"train": defaultdict(list)},
    )  # fmt: skip
    trainer._compute_kl_logps = lambda model, given: KTOTrainer._compute_kl_logps(trainer, model, given)
    value = KTOTrainer._compute_loss(trainer, Model(), batch, False)
    return float(value), trainer._metrics["train"]["kl"][0]


@pytest.mark.parametrize("seed", range(6))
def test_kto_is_trls_on_random_logits(seed):
    torch.manual_seed(seed)
    policy, parent = torch.randn(WORDS, WORDS), torch.randn(WORDS, WORDS)
    pairs, loss = random_pairs(5, seed), Kto(0.3, 1.3, 0.8)
    units = [
        (*pair_sequences(pair), *mismatched_sequences(pair, pairs[other]))
        for pair, other in zip(pairs, partners(pairs), strict=True)
    ]
    out = ours(grouped(units, 5), policy, parent, loss)
    value, kl = trls(units, policy, parent, loss)
    assert out.loss.item() == pytest.approx(value, rel=1e-6)
    assert out.sums["kl"].item() == pytest.approx(kl, rel=1e-6, abs=1e-9)


def test_one_group_by_hand_and_its_drift_carries_no_gradient():
    """s of good, bad and mismatched: 1, -0.5, 0.6, 0.2. KL 0.4. A second group's mismatched are -3 and -1: KL 0."""
    answers = [[1.0, -0.5, 0.6, 0.2], [1.0, -0.5, -3.0, -1.0]]
    sequence = TokenSequence(np.array([0, 1], np.int32), {"loss_mask": np.array([0, 1], np.float32)})
    groups = grouped([(sequence,) * 4] * 2, 1)
    assert [s.channels["group"].tolist() for group in groups for s in group] == [[0, 0]] * 4 + [[1, 1]] * 4
    told = torch.tensor([[x for group in answers for s in group for x in (0.0, s)]], requires_grad=True)
    channels = {
        "loss_mask": torch.tensor([[0.0, 1.0] * 8]), "reference_logprobs": torch.zeros(1, 16),
        "group": torch.tensor([[0.0] * 8 + [1.0] * 8]), "sequence_ids": torch.arange(8).repeat_interleave(2)[None],
    }  # fmt: skip
    given = stats([0.0] * 16)
    out = Kto(2.0)(type(given)(**{**vars(given), "logprobs": told}), channels, {"pairs": 2})

    def below(x):
        return 1 - 1 / (1 + math.exp(-x))

    wanted = (below(2 * 0.6) + below(2 * 0.9) + below(2 * 1.0) + below(2 * 0.5)) / 4
    assert out.loss.item() == pytest.approx(wanted, rel=1e-6)
    out.loss.backward()
    moved = told.grad[0, 1::2].reshape(2, 4)
    assert (moved[:, 0] < 0).all() and (moved[:, 1] > 0).all() and not moved[:, 2:].any()


def test_a_mismatched_answer_is_to_another_prompt_of_the_same_kind():
    def pair(prompt, heldout=False):
        return Pair("x", (prompt,), Answer((1,), "", 1), Answer((2,), "", 0), heldout)

    assert partners([pair(1), pair(1), pair(2), pair(7, True), pair(3), pair(8, True)]) == [2, 2, 4, 5, 0, 3]
    with pytest.raises(DataError, match="all 2 training pairs answer one prompt; KTO needs"):
        partners([pair(1), pair(1), pair(7, True), pair(8, True)])
