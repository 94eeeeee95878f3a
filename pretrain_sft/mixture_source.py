"""The batches of continued pretraining and of fine-tuning: files mixed by token quotas, cross-entropy.

What carries loss is in the rows: every token of a document, the answer of a conversation.
"""

from pathlib import Path

from dragoman.data.mixtures import MixturePlan
from dragoman.learner import Objective
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import likelihood
from pretrain_sft.settings import ContinuedSettings, SupervisedSettings


class MixtureSource:
    """Examples of several files, planned in advance."""

    def __init__(
        self, data: Path, settings: ContinuedSettings | SupervisedSettings, encoder: RowEncoder, seed: int
    ) -> None:
        all_turns = isinstance(settings, SupervisedSettings) and settings.trained_turns == "all"
        self.examples = encoder.files(data, settings.mixture, all_turns=all_turns)
        lengths = {name: found.lengths for name, found in self.examples.items()}
        self.plan = MixturePlan(lengths, settings.mixture, settings.batch_tokens, settings.steps, seed)

    def batch(self, step: int) -> list[Objective]:
        """Examples of one step."""
        return [likelihood([self.examples[name][index] for name, index in self.plan.step(step)])]
