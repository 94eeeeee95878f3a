import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from tiny import random_sequences, tiny_model

from dragoman.learner.forward import to_tensors, token_statistics
from dragoman.learner.packing import TokenSequence, pack, unpack

CPU = torch.device("cpu")


def packed_logprobs(model, items, temperature=1.0, row_tokens=64):
    batches = pack([(s,) for s in items], ranks=1, row_tokens=row_tokens, rows_per_micro_batch=2)
    with torch.no_grad():
        values = [[token_statistics(model, to_tensors(b, CPU), temperature).logprobs.numpy() for b in batches[0]]]
    return unpack(batches, values)


def alone(model, item, temperature=1.0):
    """Independent: one sequence at a time, plain log_softmax over all positions."""
    ids = torch.tensor(item.token_ids, dtype=torch.long)[None]
    with torch.no_grad():
        table = (model(input_ids=ids).logits[0] / temperature).log_softmax(-1)
    result = np.zeros(len(item.token_ids), np.float32)
    for t in range(1, len(item.token_ids)):
        if item.channels["loss_mask"][t]:
            result[t] = table[t - 1, item.token_ids[t]]
    return result


def test_packed_logprobs_equal_those_of_each_sequence_alone():
    model, items = tiny_model(), random_sequences([12, 30, 7, 25, 3, 18])
    for temperature in (1.0, 0.7):
        for item, value in zip(items, packed_logprobs(model, items, temperature), strict=True):
            np.testing.assert_allclose(value, alone(model, item, temperature), atol=1e-5)


def test_a_document_does_not_see_its_neighbours():
    model = tiny_model()
    first, second = random_sequences([20, 20])
    other = TokenSequence(first.token_ids[::-1].copy(), first.channels)
    before = packed_logprobs(model, [first, second])[1]
    after = packed_logprobs(model, [other, second])[1]
    np.testing.assert_array_equal(before, after)


def test_entropy_and_expected_probability_by_hand():
    model, (item,) = tiny_model(), random_sequences([9])
    batch = pack([(item,)], ranks=1, row_tokens=16, rows_per_micro_batch=1)[0][0]
    with torch.no_grad():
        stats = token_statistics(model, to_tensors(batch, CPU))
        p = model(input_ids=torch.tensor(item.token_ids, dtype=torch.long)[None]).logits[0].softmax(-1).double()
    t = 6
    assert float(stats.entropy[0, t]) == pytest.approx(float(-(p[t - 1] * p[t - 1].log()).sum()), abs=1e-5)
    assert float(stats.log_expected[0, t]) == pytest.approx(float((p[t - 1] ** 2).sum().log()), abs=1e-5)
