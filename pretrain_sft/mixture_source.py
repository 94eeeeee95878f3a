"""The batches of continued pretraining and of fine-tuning: files mixed by token quotas, cross-entropy.

What carries loss is in the rows: every token of a document, the answer of a conversation. With a temperature above 1
each file is a source for each language, whose shares are raised to be more even; what says no language is one more,
which keeps its share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dragoman.data.mixtures import MixturePlan, tempered
from dragoman.learner import Objective, TokenSequence
from pretrain_sft.encoded import EncodedRows, RowEncoder
from pretrain_sft.examples import likelihood
from pretrain_sft.settings import ContinuedSettings, SupervisedSettings


@dataclass(frozen=True)
class Part:
    """Examples of a file, with their share of all tokens."""

    rows: EncodedRows
    share: float
    places: np.ndarray | None = None
    """int64: those of the file that it has; None = all"""

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each."""
        return self.rows.lengths if self.places is None else self.rows.lengths[self.places]

    def __getitem__(self, index: int) -> TokenSequence:
        return self.rows[index if self.places is None else int(self.places[index])]


class MixtureSource:
    """Examples of several files, planned in advance."""

    def __init__(
        self, data: Path, settings: ContinuedSettings | SupervisedSettings, encoder: RowEncoder, seed: int
    ) -> None:
        all_turns = isinstance(settings, SupervisedSettings) and settings.trained_turns == "all"
        files = encoder.files(data, settings.mixture, all_turns=all_turns)
        self.parts = {
            name: part
            for file, rows in files.items()
            for name, part in parts_of(file, rows, settings.mixture[file], settings.language_temperature).items()
        }
        lengths = {name: part.lengths for name, part in self.parts.items()}
        shares = {name: part.share for name, part in self.parts.items()}
        self.plan = MixturePlan(lengths, shares, settings.batch_tokens, settings.steps, seed)

    def batch(self, step: int) -> list[Objective]:
        """Examples of one step."""
        return [likelihood([self.parts[name][index] for name, index in self.plan.step(step)])]


def parts_of(file: str, rows: EncodedRows, share: float, temperature: float) -> Mapping[str, Part]:
    """A file as it is, or `file/language` for each of its languages."""
    if temperature == 1 or not len(rows):
        return {file: Part(rows, share)}
    places = rows.by_language()
    tokens = {name: float(rows.lengths[found].sum()) for name, found in places.items()}
    silent = tokens.pop("", 0.0) / float(rows.lengths.sum())
    shares = {name: part * (1 - silent) for name, part in tempered(tokens, temperature).items()}
    named = {"": silent, **shares} if silent else shares
    return {f"{file}/{name}" if name else file: Part(rows, share * part, places[name]) for name, part in named.items()}
