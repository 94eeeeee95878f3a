"""Attention as products of matrices: torch's own values in float32, as near to them in bfloat16 as torch's kernel."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from dragoman.learner.short_attention import WIDEST, pays, short_attention


def drawn(documents, heads, groups, width, size, dtype):
    torch.manual_seed(0)
    shapes = [(documents, n, width, size) for n in (heads, groups, groups)]
    return [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]


def attended(function, inputs, dtype=None):
    """The result and the gradients of a sum with random weights."""
    own = [x.detach().to(dtype or x.dtype).requires_grad_() for x in inputs]
    result = function(*own)
    torch.manual_seed(1)
    result.backward(torch.randn(result.shape).to(result.dtype))
    return [result.detach(), *(x.grad for x in own)]


def torchs(query, key, value, scaling=None):
    return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=True)


@pytest.mark.parametrize("heads, groups", [(4, 4), (6, 2), (3, 1)])
@pytest.mark.parametrize("width, scaling", [(1, None), (2, 0.3), (17, None), (64, 0.05)])
def test_values_and_gradients_are_those_of_torch(heads, groups, width, scaling):
    inputs = drawn(3, heads, groups, width, 16, torch.float32)
    wanted = attended(lambda *x: torchs(*x, scaling), inputs)
    for found, value in zip(attended(lambda *x: short_attention(*x, scaling), inputs), wanted, strict=True):
        torch.testing.assert_close(found, value, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("width", [16, 128, 256])
def test_in_bfloat16_it_is_about_as_near_to_the_true_values_as_torch_and_its_gradients_are_nearer(width):
    inputs = drawn(4, 9, 3, width, 64, torch.bfloat16)
    true = attended(torchs, inputs, torch.float64)

    def error(found):
        return [float((f.double() - t).norm() / t.norm()) for f, t in zip(found, true, strict=True)]

    ours, theirs = error(attended(short_attention, inputs)), error(attended(torchs, inputs))
    assert ours[0] <= 1.5 * theirs[0] <= 0.005
    assert sum(ours[1:]) <= sum(theirs[1:])


def test_no_token_sees_a_later_one():
    query, key, value = drawn(1, 2, 1, 8, 16, torch.float32)
    before = short_attention(query, key, value)
    with torch.no_grad():
        key[:, :, 5:] += 3.0
        value[:, :, 5:] -= 1.0
    after = short_attention(query, key, value)
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert not torch.equal(before[:, :, 5:], after[:, :, 5:])


def test_it_takes_short_documents_in_bfloat16_alone():
    def of(width, dtype):
        return torch.empty(1, 2, width, 16, dtype=dtype)

    assert pays(of(WIDEST, torch.bfloat16))
    assert not pays(of(WIDEST + 1, torch.bfloat16))
    assert not pays(of(16, torch.float32))
