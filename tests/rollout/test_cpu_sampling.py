"""Seeded sampling on a CPU: the right distribution, and tokens that depend on the request's seed alone."""

import pytest
import torch
from scipy.stats import chisquare

vllm = pytest.importorskip("vllm")

from dragoman.rollout.cpu_sampling import draw, forward_cpu  # noqa: E402


class Mode:
    def __init__(self, logprobs_mode):
        self.logprobs_mode = logprobs_mode


def seeded(*seeds):
    return {row: torch.Generator().manual_seed(seed) for row, seed in enumerate(seeds)}


def test_words_are_drawn_as_often_as_their_probability_says():
    probabilities = torch.tensor([[0.05, 0.0, 0.3, 0.25, 0.0, 0.4, 0.0]])
    generators, counts = seeded(3), torch.zeros(7)
    for _ in range(20_000):
        counts[draw(probabilities, generators)] += 1
    assert counts[[1, 4, 6]].sum() == 0
    likely = [0, 2, 3, 5]
    assert chisquare(counts[likely].numpy(), 20_000 * probabilities[0, likely].numpy()).pvalue > 0.001


def test_a_token_depends_on_its_seed_and_not_on_its_neighbours():
    torch.manual_seed(0)
    logits = torch.randn(4, 500)
    together = forward_cpu(Mode("processed_logprobs"), logits.clone(), seeded(1, 2, 3, 4), None, None)[0]
    for row, seed in enumerate((1, 2, 3, 4)):
        alone = forward_cpu(Mode("processed_logprobs"), logits[row : row + 1].clone(), seeded(seed), None, None)[0]
        assert alone[0] == together[row]
    assert len({int(draw(logits.softmax(-1)[:1], seeded(seed))) for seed in range(50)}) > 10


def test_log_probs_and_top_k_are_those_of_vllm():
    torch.manual_seed(0)
    logits = torch.randn(3, 50)
    tokens, logprobs = forward_cpu(
        Mode("processed_logprobs"), logits.clone(), seeded(1, 2, 3), torch.tensor([2] * 3), None
    )
    best = logits.topk(2).indices
    assert all(int(token) in best[row] for row, token in enumerate(tokens))
    expected = logits.gather(1, best).log_softmax(-1)
    torch.testing.assert_close(logprobs.gather(1, best), expected)
    assert forward_cpu(Mode("raw_logprobs"), logits.clone(), seeded(1, 2, 3), None, None)[1] is None
