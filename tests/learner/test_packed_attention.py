"""Document by document: the same values as one sequence alone, gradients as under a mask, and an exact layout."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

sys.path.insert(0, str(Path(__file__).parent))
from test_head import SHAPE, loss_and_gradients, network
from tiny import random_sequences

from dragoman.learner import packed_attention
from dragoman.learner.forward import to_tensors, token_statistics
from dragoman.learner.packed_attention import locate, use
from dragoman.learner.packing import pack

LENGTHS = [1, 2, 3, 40, 17, 64, 33, 9, 5, 31]


def micro_batch():
    (batch,) = pack([(s,) for s in random_sequences(LENGTHS)], ranks=1, row_tokens=70, rows_per_micro_batch=4)[0]
    return to_tensors(batch, torch.device("cpu"))


def windowed():
    torch.manual_seed(0)
    return Gemma3ForCausalLM(Gemma3TextConfig(**SHAPE, sliding_window=8)).eval()


@pytest.mark.parametrize("kind", ["qwen", "llama, untied", "gemma 3"])
def test_values_and_gradients_equal_those_under_a_mask(kind):
    model, tensors = network(kind), micro_batch()
    masked = token_statistics(model, tensors)
    wanted = loss_and_gradients(model, masked.logprobs, tensors)
    use(model)
    packed = token_statistics(model, tensors)
    torch.testing.assert_close(packed.logprobs, masked.logprobs, atol=1e-5, rtol=1e-5)
    for name, gradient in loss_and_gradients(model, packed.logprobs, tensors).items():
        scale = float(wanted[name].abs().max())
        assert float((gradient - wanted[name]).abs().max()) <= 1e-5 * max(1.0, scale), name


def test_every_document_has_its_log_probs_alone_also_beyond_a_sliding_window():
    model = windowed()
    alone = {}
    for sequence in random_sequences(LENGTHS):
        ids = torch.tensor(sequence.token_ids, dtype=torch.long)[None]
        with torch.no_grad():
            table = model(input_ids=ids).logits[0].log_softmax(-1)
        alone[len(ids[0])] = table[:-1].gather(-1, ids[0, 1:, None]).squeeze(-1)
    use(model)
    tensors = micro_batch()
    with torch.no_grad():
        found = token_statistics(model, tensors).logprobs
    for number in range(int(tensors["sequence_ids"].max()) + 1):
        chosen = tensors["sequence_ids"] == number
        value, mask = found[chosen], tensors["loss_mask"][chosen] != 0
        mask[0] = False
        wanted = torch.nn.functional.pad(alone[len(value)], (1, 0))
        torch.testing.assert_close(value[mask], wanted[mask], atol=1e-5, rtol=1e-5)


def test_each_position_lies_in_one_batch_among_documents_of_its_length():
    tensors = micro_batch()
    ids = tensors["sequence_ids"]
    flat, documents = ids.flatten(), locate(ids, tensors["position_ids"])
    together = torch.cat([batch.flatten() for batch in documents.batches])
    real = (flat >= 0).nonzero().squeeze(-1)
    np.testing.assert_array_equal(together[documents.inverse[real]], real)
    assert documents.inverse[real].unique().numel() == len(real) == sum(LENGTHS)
    for batch in documents.batches:
        lengths = [(flat == flat[row[0]]).sum() for row in batch]
        assert batch.shape[1] == max(lengths) <= 2 * min(lengths)


def test_a_micro_batch_of_padding_only_still_runs_and_has_gradients_of_zero():
    model = network("qwen")
    use(model)
    nothing = torch.full((1, 3), -1)
    tensors = {"token_ids": torch.zeros(1, 3, dtype=torch.long), "position_ids": torch.zeros(1, 3, dtype=torch.long),
               "sequence_ids": nothing, "loss_mask": torch.zeros(1, 3)}  # fmt: skip
    gradients = loss_and_gradients(model, token_statistics(model, tensors).logprobs, tensors)
    assert all(float(gradient.abs().max()) == 0 for gradient in gradients.values())


@pytest.mark.parametrize("heads", [1, 3])
def test_heads_go_to_their_documents_and_back_as_do_their_gradients(heads):
    ids, positions = (micro_batch()[name] for name in ("sequence_ids", "position_ids"))
    documents, (rows, length) = locate(ids, positions), ids.shape
    states = torch.randn(rows, length, heads, 4, dtype=torch.float64, requires_grad=True)
    flat = states.flatten(0, 1)
    parts = packed_attention._gathered(documents, states.transpose(1, 2))
    for index, part in zip(documents.batches, parts, strict=True):
        assert torch.equal(part, flat[index].transpose(1, 2))
    back = packed_attention._put_back(documents, torch.cat([part.reshape(-1, 4) for part in parts]), heads)
    real, weights = (ids.flatten() >= 0)[:, None, None], torch.randn(rows * length, heads, 4, dtype=torch.float64)
    assert not real.all()
    assert torch.equal(back.view_as(flat) * real, flat * real)
    (back.view_as(flat) * weights).sum().backward()
    assert torch.equal(states.grad.flatten(0, 1), weights * real)
