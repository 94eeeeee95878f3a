"""The batches of continued pretraining and of fine-tuning: files mixed by token quotas, cross-entropy.

What carries loss is in the rows: every token of a document, the answer of a conversation.
"""

from pathlib import Path
from typing import Any

from dragoman.data.mixtures import plan_mixture
from dragoman.learner import Objective
from pretrain_sft.examples import RowLimit, encode_files, likelihood
from pretrain_sft.settings import ContinuedSettings, SupervisedSettings


class MixtureSource:
    """Examples of several files, planned for all steps in advance."""

    def __init__(
        self, data: Path, settings: ContinuedSettings | SupervisedSettings, tokenizer: Any, limit: RowLimit, seed: int
    ) -> None:
        all_turns = isinstance(settings, SupervisedSettings) and settings.trained_turns == "all"
        self.examples = encode_files(data, settings.mixture, tokenizer, limit, all_turns=all_turns)
        lengths = {name: [len(one.token_ids) for one in found] for name, found in self.examples.items()}
        self.plan = plan_mixture(lengths, settings.mixture, settings.batch_tokens, settings.steps, seed)

    def batch(self, step: int) -> list[Objective]:
        """Examples of one step."""
        return [likelihood([self.examples[name][index] for name, index in self.plan[step]])]
