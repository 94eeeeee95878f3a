"""Data of earlier stages in the same optimiser step as another objective (PTX, arXiv 2203.02155).

Preference and policy losses say nothing of the skills that their prompts do not touch, and every update moves those a
little. A cross-entropy on rows of the files that taught them, in the same optimiser step, holds them.
"""

from pathlib import Path

from dragoman.data.mixtures import plan_examples
from dragoman.learner import Objective
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import likelihood
from pretrain_sft.settings import PtxSettings


class PtxSource:
    """The second objective of each step of a stage; the same for the same step, always."""

    def __init__(self, data: Path, settings: PtxSettings, encoder: RowEncoder, steps: int, seed: int) -> None:
        self.coefficient = settings.coefficient
        self.examples = encoder.files(data, settings.mixture)
        self.plan = {
            name: plan_examples(len(self.examples[name]), count, steps, seed, f"ptx/{name}")
            for name, count in settings.counts.items()
        }

    def objective(self, step: int, part: int = 0, parts: int = 1) -> Objective:
        """Cross-entropy on the examples of a step (0-based), or on part `part` of as many as there are optimiser steps.

        Its metrics are named `ptx/…`.
        """
        sequences = [self.examples[name][index] for name, plan in self.plan.items() for index in plan[step]]
        return likelihood(sequences[part::parts], self.coefficient, "ptx")
