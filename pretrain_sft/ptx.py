"""Data of earlier stages beside another objective, so that what they taught is not lost (PTX, arXiv 2203.02155).

Preference and policy losses say nothing of the skills that their prompts do not touch, and every update moves those a
little. A cross-entropy on rows of the files that taught them, in the same optimiser step, holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dragoman.data.mixtures import plan_examples
from dragoman.learner import Objective
from pretrain_sft.stages import encode_rows, likelihood


class PtxSource:
    """The second objective of each step of a stage; the same for the same step, always."""

    def __init__(
        self, data: Path, section: Mapping[str, Any], tokenizer: Any, row_tokens: int, steps: int, seed: int
    ) -> None:
        """`section`: a recipe's `ptx`, with a coefficient above 0."""
        self.coefficient = float(section["coefficient"])
        shares = {name: share for name, share in section["mixture"].items() if share > 0}
        self.examples = {name: encode_rows(data / f"{name}.jsonl", tokenizer, row_tokens) for name in shares}
        counts = counts_by_share(shares, int(section["batch_examples"]))
        self.plan = {
            name: plan_examples(len(self.examples[name]), count, steps, seed, f"ptx/{name}")
            for name, count in counts.items()
        }

    def objective(self, step: int, part: int = 0, parts: int = 1) -> Objective:
        """Cross-entropy on the examples of a step (0-based), or on part `part` of as many as there are optimiser steps.

        Its metrics are named `ptx/…`.
        """
        sequences = [self.examples[name][index] for name, plan in self.plan.items() for index in plan[step]]
        return likelihood(sequences[part::parts], self.coefficient, "ptx")


def counts_by_share(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` dealt by shares that sum to 1: each within one of its share, the largest remainders rounded up."""
    exact = {name: share * total for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: counts[name] - exact[name])[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
