"""A model of a few thousand parameters and sequences for it, shared by the learner's tests."""

from __future__ import annotations

import numpy as np

from dragoman.learner import ModelSettings
from dragoman.learner.model import build_model
from dragoman.learner.packing import TokenSequence

NUMBERS = ModelSettings(
    hidden_size=32, intermediate_size=64, layers=2, heads=2, key_value_heads=1, head_dimension=32, context=128,
)  # fmt: skip
VOCABULARY = 97


def tiny_model(seed: int = 0, **changes):
    model = build_model(NUMBERS.model_copy(update=changes), VOCABULARY, 4, 0, seed)
    for parameter in model.parameters():  # larger weights, so that differences show
        parameter.data.mul_(3.0)
    return model.eval()


def random_sequences(lengths, seed=0, **channels):
    rng = np.random.default_rng(seed)
    result = []
    for n in lengths:
        mask = np.ones(n, np.float32)
        mask[: max(1, n // 3)] = 0
        extra = {name: (make(rng, n) * mask).astype(np.float32) for name, make in channels.items()}
        result.append(TokenSequence(rng.integers(5, VOCABULARY, n).astype(np.int32), {"loss_mask": mask, **extra}))
    return result
