"""The head in pieces, kept or computed twice, recomputed activations: values and gradients of the plain path."""

import sys
from pathlib import Path

import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

sys.path.insert(0, str(Path(__file__).parent))
from tiny import VOCABULARY, random_sequences, tiny_model

from dragoman.learner import head
from dragoman.learner.forward import to_tensors, token_statistics
from dragoman.learner.head import rows_of_a_piece
from dragoman.learner.packing import pack
from dragoman.learner.value_head import add_value_head

SHAPE = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 128,
}  # fmt: skip


def network(kind):
    if kind == "qwen":
        return tiny_model()
    torch.manual_seed(0)
    made = {
        "llama, untied": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE, tie_word_embeddings=False)),
        "gemma 2": lambda: Gemma2ForCausalLM(
            Gemma2Config(**SHAPE, final_logit_softcapping=3.0, attn_implementation="eager")
        ),
        "gemma 3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SHAPE, sliding_window=8)),
    }[kind]().eval()
    for parameter in made.parameters():
        parameter.data.mul_(3.0)
    return made


KINDS = ["qwen", "llama, untied", "gemma 2", "gemma 3"]
TEMPERATURE = 0.7


def micro_batch():
    items = random_sequences([12, 30, 7, 25, 3, 18])
    (batch,) = pack([(s,) for s in items], ranks=1, row_tokens=64, rows_per_micro_batch=2)[0]
    return to_tensors(batch, torch.device("cpu"))


def plain(model, tensors):
    """All logits by the model itself; log-softmax, entropy and sum of squares by torch.distributions."""
    logits = model(input_ids=tensors["token_ids"], position_ids=tensors["position_ids"], use_cache=False).logits
    table = torch.distributions.Categorical(logits=logits[:, :-1].float() / TEMPERATURE)
    wanted = tensors["loss_mask"][:, 1:] * (tensors["position_ids"][:, 1:] > 0)
    expected = table.probs.square().sum(-1).log()
    found = (table.log_prob(tensors["token_ids"][:, 1:]), table.entropy(), expected)
    return [torch.nn.functional.pad(value * wanted, (1, 0)) for value in found]


def loss_and_gradients(model, logprobs, tensors):
    weights = torch.linspace(-1, 2, logprobs.numel()).view_as(logprobs)
    loss = (logprobs * weights * tensors["loss_mask"]).sum()
    model.zero_grad()
    loss.backward()
    return {name: torch.zeros_like(p) if p.grad is None else p.grad.clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("kept_bytes", [1 << 30, VOCABULARY * 4 * 4 * 5, 1], ids=["kept", "pieces of five", "of one"])
@pytest.mark.parametrize("kind", KINDS)
def test_statistics_and_gradients_equal_those_of_plain_logits(kind, kept_bytes):
    model, tensors = network(kind), micro_batch()
    reference = plain(model, tensors)
    wanted = loss_and_gradients(model, reference[0], tensors)
    found = token_statistics(model, tensors, TEMPERATURE, kept_bytes=kept_bytes)
    for value, right in zip((found.logprobs, found.entropy, found.log_expected), reference, strict=True):
        torch.testing.assert_close(value, right, atol=1e-5, rtol=1e-5)
    for name, gradient in loss_and_gradients(model, found.logprobs, tensors).items():
        scale = float(wanted[name].abs().max())
        assert float((gradient - wanted[name]).abs().max()) <= 1e-5 * max(1.0, scale), name


@pytest.mark.parametrize("entropy_gradient", [False, True])
@pytest.mark.parametrize("kept_bytes", [1 << 30, VOCABULARY * 4 * 20], ids=["kept", "pieces of twenty"])
def test_blocks_of_a_piece_change_nothing(kept_bytes, entropy_gradient, monkeypatch):
    found = []
    for block_bytes in (1 << 30, VOCABULARY * 4 * 3):
        monkeypatch.setattr(head, "BLOCK_BYTES", block_bytes)
        model, tensors = network("gemma 2"), micro_batch()
        s = token_statistics(model, tensors, TEMPERATURE, kept_bytes=kept_bytes, entropy_gradient=entropy_gradient)
        gradients = loss_and_gradients(model, s.logprobs - 0.7 * s.entropy, tensors)
        found.append([s.logprobs.detach(), s.entropy.detach(), s.log_expected, *gradients.values()])
    for whole, blocks in zip(*found, strict=True):
        torch.testing.assert_close(blocks, whole, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kept_bytes", [1 << 30, VOCABULARY * 2 * 20], ids=["kept", "pieces of twenty"])
def test_a_bfloat16_head_is_as_near_to_the_true_gradients_as_autograd(kept_bytes):
    """Hidden states and weights of the head in bfloat16; the true gradients are those of the same numbers in float64"""
    generator = torch.Generator().manual_seed(5)
    made = [torch.randn(80, 32, generator=generator), torch.randn(VOCABULARY, 32, generator=generator)]
    targets = torch.randint(VOCABULARY, (80,), generator=generator)
    factors = torch.rand(80, generator=generator)

    def gradients(dtype, logprobs):
        hidden, weight = leaves = [t.bfloat16().to(dtype).requires_grad_() for t in made]
        (logprobs(hidden, weight) * factors).sum().backward()
        return [leaf.grad.double() for leaf in leaves]

    def plainly(hidden, weight):
        logits = torch.nn.functional.linear(hidden, weight)
        logits = logits.float() if logits.dtype == torch.bfloat16 else logits
        return logits.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)

    def ours(hidden, weight):
        work = head.HeadWork(torch.arange(80), targets, statistics=("logprobs",), kept_bytes=kept_bytes)
        return head._Statistics.apply(hidden, weight, None, work)[:, 0]

    true, usual, found = (
        gradients(torch.float64, plainly),
        gradients(torch.bfloat16, plainly),
        gradients(torch.bfloat16, ours),
    )
    for right, other, mine in zip(true, usual, found, strict=True):
        assert float((mine - right).norm()) <= 1.25 * float((other - right).norm())
        assert float((mine - right).norm()) <= 0.01 * float(right.norm())


@pytest.mark.parametrize("kept_bytes", [1 << 30, VOCABULARY * 4 * 4 * 5, 1], ids=["kept", "pieces of five", "of one"])
@pytest.mark.parametrize("kind", KINDS)
def test_entropy_has_the_gradient_of_plain_logits_where_it_is_asked_for(kind, kept_bytes):
    model, tensors = network(kind), micro_batch()
    logprobs, entropy, _ = plain(model, tensors)
    wanted = loss_and_gradients(model, logprobs - 0.7 * entropy, tensors)
    found = token_statistics(model, tensors, TEMPERATURE, kept_bytes=kept_bytes, entropy_gradient=True)
    without = loss_and_gradients(model, plain(model, tensors)[0], tensors)
    for name, gradient in loss_and_gradients(model, found.logprobs - 0.7 * found.entropy, tensors).items():
        scale = max(1.0, float(wanted[name].abs().max()))
        assert float((gradient - wanted[name]).abs().max()) <= 1e-5 * scale, name
        assert float((without[name] - wanted[name]).abs().max()) > 1e-3, name
    assert not token_statistics(model, tensors, TEMPERATURE).entropy.requires_grad


def divergence_of(model, teacher, tensors):
    """KL from the teacher at each predicted token, by PyTorch's own distributions on whole logits."""

    def table(network):
        output = network(input_ids=tensors["token_ids"], position_ids=tensors["position_ids"], use_cache=False)
        logits = output.logits[:, :-1, :VOCABULARY].float() / TEMPERATURE
        return torch.distributions.Categorical(logits=logits)

    with torch.no_grad():
        right = table(teacher)
    wanted = tensors["loss_mask"][:, 1:] * (tensors["position_ids"][:, 1:] > 0)
    return torch.nn.functional.pad(torch.distributions.kl_divergence(table(model), right) * wanted, (1, 0))


@pytest.mark.parametrize("kept_bytes", [1 << 30, VOCABULARY * 4 * 4 * 5, 1], ids=["kept", "pieces of five", "of one"])
@pytest.mark.parametrize("kind", KINDS)
def test_divergence_from_a_teacher_and_its_gradient_are_those_of_whole_logits(kind, kept_bytes):
    model, tensors = network(kind), micro_batch()
    teacher = network("llama, untied" if kind != "llama, untied" else "qwen")
    for parameter in teacher.parameters():
        parameter.data.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
    teacher.resize_token_embeddings(VOCABULARY + 7)  # larger models are often padded to a round number
    right = divergence_of(model, teacher, tensors)
    logprobs, entropy, _ = plain(model, tensors)
    wanted = loss_and_gradients(model, logprobs - 0.7 * entropy + 0.4 * right, tensors)
    found = token_statistics(model, tensors, TEMPERATURE, kept_bytes=kept_bytes, entropy_gradient=True, teacher=teacher)
    assert float(right.detach().max()) > 0.01
    torch.testing.assert_close(found.divergence, right, atol=1e-5, rtol=1e-4)
    mixed = found.logprobs - 0.7 * found.entropy + 0.4 * found.divergence
    for name, gradient in loss_and_gradients(model, mixed, tensors).items():
        scale = max(1.0, float(wanted[name].abs().max()))
        assert float((gradient - wanted[name]).abs().max()) <= 2e-5 * scale, name
    assert all(parameter.grad is None for parameter in teacher.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_a_linear_map_of_the_state_before_the_token(kind):
    model, tensors = network(kind), micro_batch()
    assert not token_statistics(model, tensors).values.any()
    add_value_head(model)
    assert not token_statistics(model, tensors).values.any()  # it begins at 0
    torch.nn.init.normal_(model.value_head.weight)
    torch.nn.init.normal_(model.value_head.bias)
    body = model.get_decoder()
    hidden = body(input_ids=tensors["token_ids"], position_ids=tensors["position_ids"], use_cache=False)[0]
    wanted = tensors["loss_mask"][:, 1:] * (tensors["position_ids"][:, 1:] > 0)
    values = (hidden[:, :-1] @ model.value_head.weight[0] + model.value_head.bias) * wanted
    reference = torch.nn.functional.pad(values, (1, 0))
    found, alone = (token_statistics(model, tensors, statistics=asked) for asked in (("logprobs",), ("values",)))
    torch.testing.assert_close(found.values, reference, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone.values, reference, atol=1e-5, rtol=1e-5)
    expected = loss_and_gradients(model, reference.square(), tensors)
    for name, gradient in loss_and_gradients(model, found.values.square(), tensors).items():
        scale = max(1.0, float(expected[name].abs().max()))
        assert float((gradient - expected[name]).abs().max()) <= 1e-4 * scale, name
    model.zero_grad()
    token_statistics(model, tensors).logprobs.sum().backward()  # every weight has a gradient whatever the loss reads
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_recomputed_activations_give_the_same_gradients(kind):
    model, tensors = network(kind), micro_batch()
    model.train()
    wanted = loss_and_gradients(model, token_statistics(model, tensors).logprobs, tensors)
    model.gradient_checkpointing_enable({"use_reentrant": False})
    for name, gradient in loss_and_gradients(model, token_statistics(model, tensors).logprobs, tensors).items():
        torch.testing.assert_close(gradient, wanted[name], atol=1e-5, rtol=1e-5)


def test_only_what_was_asked_for_is_computed():
    model, tensors = network("qwen"), micro_batch()
    found = token_statistics(model, tensors, statistics=("logprobs", "entropy"))
    assert float(found.entropy.abs().max()) > 0
    assert float(found.log_expected.abs().max()) == 0


def test_the_model_is_left_as_it_was():
    model, tensors = network("gemma 2"), micro_batch()
    ids = tensors["token_ids"]
    before = model(input_ids=ids).logits
    token_statistics(model, tensors)
    torch.testing.assert_close(model(input_ids=ids).logits, before)


@pytest.mark.parametrize(
    ("count", "vocabulary", "value_bytes", "kept", "rows"),
    [
        (512, 262_144, 4, 512 << 20, 512), (513, 262_144, 4, 512 << 20, 128), (1024, 262_144, 2, 512 << 20, 1024),
        (1025, 262_144, 2, 512 << 20, 256), (10, 1_000_000, 4, 1, 1), (0, 100, 4, 1, 0),
    ],
)  # fmt: skip
def test_pieces_fit_into_a_quarter_of_what_may_be_kept(count, vocabulary, value_bytes, kept, rows):
    assert rows_of_a_piece(count, vocabulary, value_bytes, kept) == rows
