"""The output head, run where it is wanted and never for a whole row at once.

With a vocabulary of 262,144 the logits of one row of 512 tokens are half a gigabyte, and softmax, its logarithm and
their gradient as much again. So the head runs at the positions whose prediction is wanted, in pieces: each piece's
logits become the statistics of its tokens and are dropped. The backward pass makes them again,

    d logprob_t / d logits_t = onehot(target_t) - softmax(logits_t)

unless those of all positions fit into `kept_bytes`. Then the matrix above takes the logits' place in the forward pass:
the loss' gradient of a log-prob is a factor of its row, so the backward pass only multiplies matrices.
Where a loss asks for it the entropy H has a gradient, too: d H / d logits = -p (log p + H), p being the softmax; that
needs the loss' gradients first, so the logits are kept themselves.
Softmax is in float32 whatever the model's dtype, a block of rows at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from dragoman.learner import value_head

KEPT_BYTES = 512 << 20
"""Largest logits that are kept for the backward pass, in the model's dtype"""
BLOCK_BYTES = 2 << 20
"""Float32 logits of a block of rows on CPU"""
DEVICE_BLOCK_BYTES = 256 << 20
"""The same on an accelerator, which wants large pieces"""
STATISTICS = ("logprobs", "entropy", "log_expected", "divergence")
"""What the logits say of each predicted token, in the order of the head's result"""
VALUES = "values"
"""The statistic of a value head, behind those of the logits"""


@dataclass(frozen=True)
class OtherHead:
    """Another model's prediction at the same N positions, which ours is compared with; no gradient goes there."""

    hidden: Tensor
    """[N, D'], D' its own width"""
    weight: Tensor
    """[V' >= V, D']; rows beyond our vocabulary are padding"""
    bias: Tensor | None
    softcap: float | None


@dataclass(frozen=True)
class HeadWork:
    """What the head computes of N positions."""

    places: Tensor
    """[N] indices into the flattened [R, L] hidden states"""
    targets: Tensor
    """[N] the tokens predicted there"""
    temperature: float = 1.0
    softcap: float | None = None
    """Gemma 2: logits are `softcap * tanh(logits / softcap)`"""
    statistics: Sequence[str] = STATISTICS
    """Which are computed; the others are 0"""
    kept_bytes: int = KEPT_BYTES
    entropy_gradient: bool = False
    other: OtherHead | None = None
    """What `divergence` is from"""

    @property
    def of_logprob_alone(self) -> bool:
        """Whether no statistic but the log-prob has a gradient."""
        return not self.entropy_gradient and self.other is None


@contextmanager
def head_replaced(model: Any, work: HeadWork) -> Iterator[None]:
    """Inside, the model's `logits` are [1, N, 5]: the `STATISTICS` of each place and its value.

    Log-prob, divergence and value have a gradient, the entropy where it is asked for. The value is 0 without a value
    head; with one it is always computed, so that every weight gets a gradient in every backward pass (ZeRO counts on
    it).
    The module stays the same and is called as ever, so that what hooks do (ZeRO-3 gathers the weights) is done.
    """
    head, valuing = model.get_output_embeddings(), getattr(model, value_head.NAME, None)

    def described(hidden: Tensor) -> Tensor:
        chosen = hidden.flatten(0, 1).index_select(0, work.places)
        if tuple(work.statistics) == (VALUES,):
            found = chosen.new_zeros(len(chosen), len(STATISTICS), dtype=torch.float32)
        else:
            found = _Statistics.apply(chosen, head.weight, head.bias, work)
        values = found.new_zeros(len(found), 1) if valuing is None else valuing(chosen).float()
        return torch.cat([found, values], -1)[None]

    with _head_as(model, described):
        yield


@contextmanager
def hidden_instead(model: Any, places: Tensor) -> Iterator[None]:
    """Inside, the model's `logits` are the hidden states [1, N, D] at these places."""
    with _head_as(model, lambda hidden: hidden.flatten(0, 1).index_select(0, places)[None]):
        yield


@contextmanager
def _head_as(model: Any, forward: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside, the output head computes `forward`, and the model caps nothing behind it."""
    head, config = model.get_output_embeddings(), model.config
    capped = getattr(config, "final_logit_softcapping", None)
    head.forward = forward
    if capped:  # otherwise the model would cap what is no logit
        config.final_logit_softcapping = None
    try:
        yield
    finally:
        del head.forward
        if capped:
            config.final_logit_softcapping = capped


class _Statistics(torch.autograd.Function):
    """Hidden states [N, D], weight [V, D] and bias [V] or None -> statistics [N, 4] in float32."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, work: HeadWork) -> Tensor:
        rows = rows_of_a_piece(len(hidden), weight.shape[0], weight.itemsize, work.kept_bytes)
        keep = rows == len(hidden) and any(ctx.needs_input_grad[:3])
        result = hidden.new_zeros(len(hidden), len(STATISTICS), dtype=torch.float32)
        kept = None
        for piece in _pieces(len(hidden), rows):
            raw = linear(hidden[piece], weight, bias)
            for block in _blocks(piece, raw):
                logits = _logits(raw[block.inside], work)
                logprobs = logits.log_softmax(-1)
                result[block.whole] = _described(logprobs, work, block.whole)
                if keep and work.of_logprob_alone:
                    raw[block.inside] = _unit_gradient(logprobs, logits, work, block.whole)
            kept = raw if keep else None
        ctx.save_for_backward(hidden, weight, bias, kept, result.clone())
        ctx.work, ctx.rows = work, rows
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        hidden, weight, bias, kept, found = ctx.saved_tensors
        work, (to_hidden, to_weight, to_bias, _) = ctx.work, ctx.needs_input_grad
        single = ctx.rows >= len(hidden)
        whole = torch.float32 if not single else weight.dtype  # sums of many pieces stand still in bfloat16
        hidden_gradient = torch.empty_like(hidden) if to_hidden else None
        weight_gradient = torch.zeros(weight.shape, dtype=whole, device=weight.device) if to_weight else None
        bias_gradient = torch.zeros(bias.shape, dtype=torch.float32, device=weight.device) if to_bias else None
        for piece in _pieces(len(hidden), ctx.rows):
            raw = kept if kept is not None else linear(hidden[piece], weight, bias)
            if kept is None or not work.of_logprob_alone:
                _replace_by_gradient(raw, work, piece, gradients[0], found)
            of_logprob = gradients[0][piece, :1]
            factor = (of_logprob if work.of_logprob_alone else torch.ones_like(of_logprob)).to(weight.dtype)
            if hidden_gradient is not None:
                torch.mul(raw @ weight, factor, out=hidden_gradient[piece])
            if weight_gradient is not None:
                _add_product(weight_gradient, raw, hidden[piece] * factor, first=single)
            if bias_gradient is not None:
                bias_gradient += torch.mv(raw.T, factor[:, 0])
        return (
            hidden_gradient,
            None if weight_gradient is None else weight_gradient.to(weight.dtype),
            None if bias_gradient is None else bias_gradient.to(bias.dtype),
            None,
        )


@dataclass(frozen=True)
class _Block:
    """Some rows of a piece of the head's work."""

    inside: slice
    """Of the piece"""
    whole: slice
    """Of all N positions"""


def rows_of_a_piece(count: int, vocabulary: int, value_bytes: int, kept_bytes: int) -> int:
    """All `count` rows when their logits fit into `kept_bytes`, else as many as fit into a quarter of it."""
    if count * vocabulary * value_bytes <= kept_bytes:
        return count
    return max(1, kept_bytes // 4 // (vocabulary * value_bytes))


def _pieces(count: int, rows: int) -> Iterator[slice]:
    return (slice(start, min(start + rows, count)) for start in range(0, count, max(1, rows)))


def _blocks(piece: slice, raw: Tensor) -> Iterator[_Block]:
    """The rows of a piece, few enough that what is made of their logits [n, V] stays in a processor's cache."""
    size = BLOCK_BYTES if raw.device.type == "cpu" else DEVICE_BLOCK_BYTES
    for inside in _pieces(len(raw), max(1, size // (raw.shape[-1] * 4))):
        yield _Block(inside, slice(piece.start + inside.start, piece.start + inside.stop))


def _logits(raw: Tensor, work: HeadWork) -> Tensor:
    """A float32 copy [n, V] of what the head's map gave, capped and divided by the temperature."""
    logits = raw.to(torch.float32, copy=True)
    if work.softcap:
        logits.div_(work.softcap).tanh_().mul_(work.softcap)
    return logits.div_(work.temperature) if work.temperature != 1 else logits


def _described(logprobs: Tensor, work: HeadWork, rows: slice) -> Tensor:
    """The statistics [n, 4] of some rows."""
    result, wanted = logprobs.new_zeros(len(logprobs), len(STATISTICS)), work.statistics
    result[:, 0] = logprobs.gather(-1, work.targets[rows, None]).squeeze(-1)
    if "entropy" in wanted:
        result[:, 1] = -logprobs.exp().mul_(logprobs).sum(-1)
    if "log_expected" in wanted:
        result[:, 2] = torch.mul(logprobs, 2).logsumexp(-1)
    if work.other is not None:
        apart = logprobs - _other_logprobs(work, rows, logprobs.shape[-1])
        result[:, 3] = logprobs.exp().mul_(apart).sum(-1)
    return result


def _other_logprobs(work: HeadWork, rows: slice, size: int) -> Tensor:
    """Log-probs of the other model over our vocabulary of this size, float32 [n, V]."""
    assert work.other is not None
    other = work.other
    bias = None if other.bias is None else other.bias[:size]
    logits = linear(other.hidden[rows], other.weight[:size], bias).float()
    if other.softcap:
        logits = logits.div_(other.softcap).tanh_().mul_(other.softcap)
    return logits.div_(work.temperature).log_softmax(-1)


def _replace_by_gradient(raw: Tensor, work: HeadWork, piece: slice, upstream: Tensor, found: Tensor) -> None:
    """Put the gradient of a piece's raw logits [n, V] in their place; that of the log-prob if it alone has one."""
    for block in _blocks(piece, raw):
        logits = _logits(raw[block.inside], work)
        logprobs = logits.log_softmax(-1)
        raw[block.inside] = (
            _unit_gradient(logprobs, logits, work, block.whole)
            if work.of_logprob_alone
            else _logit_gradient(logprobs, logits, work, block.whole, upstream[block.whole], found[block.whole])
        )


def _unit_gradient(logprobs: Tensor, logits: Tensor, work: HeadWork, rows: slice) -> Tensor:
    """d log p_t / d raw, float32 [n, V]; overwrites both arguments."""
    gradient = logprobs.exp_().neg_()
    gradient[torch.arange(len(gradient), device=gradient.device), work.targets[rows]] += 1
    return _to_raw(gradient, logits, work)


def _logit_gradient(
    logprobs: Tensor, logits: Tensor, work: HeadWork, rows: slice, upstream: Tensor, found: Tensor
) -> Tensor:
    """Gradient of the raw logits, float32 [n, V], of upstream gradients [n, 4] of the statistics `found` [n, 4];
    overwrites both logits.

    d log p_t / d z = onehot(t) - p,   d H / d z = -p (log p + H),   d D / d z = p (log p - log q - D)
    """
    of_probabilities = -upstream[:, :1].expand_as(logprobs)
    if work.entropy_gradient:
        of_probabilities = of_probabilities - (logprobs + found[:, 1:2]).mul_(upstream[:, 1:2])
    if work.other is not None:
        apart = (logprobs - found[:, 3:4]).sub_(_other_logprobs(work, rows, logprobs.shape[-1]))
        of_probabilities = of_probabilities + apart.mul_(upstream[:, 3:4])
    gradient = logprobs.exp_().mul_(of_probabilities)
    gradient[torch.arange(len(gradient), device=gradient.device), work.targets[rows]] += upstream[:, 0]
    return _to_raw(gradient, logits, work)


def _to_raw(gradient: Tensor, logits: Tensor, work: HeadWork) -> Tensor:
    """From `logits`, capped and divided by the temperature, back to what the linear map gave; in place."""
    if work.softcap:
        gradient.mul_(logits.mul_(work.temperature / work.softcap).square_().neg_().add_(1))
    return gradient.div_(work.temperature) if work.temperature != 1 else gradient


def _add_product(total: Tensor, raw: Tensor, hidden: Tensor, *, first: bool) -> None:
    if first:
        torch.mm(raw.T, hidden, out=total)
    elif total.dtype == raw.dtype:
        total.addmm_(raw.T, hidden)
    else:
        total += raw.T @ hidden
