"""From rows to token sequences with loss, and the plain objective on them: what all sources share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dragoman.data.rows import Conversation
from dragoman.data.settings import LongRows
from dragoman.learner import Objective, TokenSequence
from dragoman.learner.encoding import encode_chats, loss_tokens
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.packing import SequenceTooLong


@dataclass(frozen=True)
class RowLimit:
    """How long an example may be, and what becomes of a longer one."""

    tokens: int
    longer: LongRows = "refuse"


def encode_conversations(
    rows: Sequence[Conversation], file: str, tokenizer: Any, *, all_turns: bool = False
) -> list[TokenSequence]:
    """Conversations with the loss on the last answer, or on all; one sequence a row, however long."""
    labels = [f"{file}: row {row.id}" for row in rows]
    return encode_chats(tokenizer, [row.messages for row in rows], labels, all_turns=all_turns)


def fitting(sequences: Sequence[TokenSequence], file: str, limit: RowLimit) -> list[TokenSequence]:
    """The sequences within the limit, and longer ones cut there if that is what becomes of them; says how many.

    Raises `SequenceTooLong` where they are refused, and where nothing is left.
    """
    found = Fitting(file, limit)
    kept = found.take(sequences)
    found.close()
    return kept


class Fitting:
    """`fitting` for a file that comes in pieces: `close` behind the last says what became of the long ones."""

    def __init__(self, file: str, limit: RowLimit) -> None:
        self.file, self.limit = file, limit
        self.rows = self.long = self.kept = 0
        self.example: TokenSequence | None = None

    def take(self, sequences: Iterable[TokenSequence]) -> list[TokenSequence]:
        """Those of a piece that stay."""
        kept = []
        for one in sequences:
            self.rows += 1
            if len(one.token_ids) > self.limit.tokens:
                self.long += 1
                self.example = self.example or one
                one = _cut(one, self.limit.tokens)
                if self.limit.longer != "truncate" or not loss_tokens(one):
                    continue
            kept.append(one)
        self.kept += len(kept)
        return kept

    def close(self) -> None:
        """Say how many were long; SequenceTooLong where they are refused, and where nothing is left."""
        if self.example is None:
            return
        told = f"{self.long} of {self.rows} rows of {self.file} have more than {self.limit.tokens} tokens"
        if self.limit.longer == "refuse":
            raise SequenceTooLong(
                f"{told}, for instance {self.example.label} with {len(self.example.token_ids)}; set data.long_rows to "
                "drop or truncate, or raise learner.row_tokens and model.context"
            )
        if not self.kept:
            raise SequenceTooLong(f"{told}: nothing is left to train on; raise learner.row_tokens and model.context")
        lost = self.rows - self.kept
        cut = self.long - lost
        print(f"{told}: {cut} were cut there, {lost} left out (data.long_rows={self.limit.longer})", flush=True)


def _cut(sequence: TokenSequence, tokens: int) -> TokenSequence:
    channels = {name: values[:tokens] for name, values in sequence.channels.items()}
    return TokenSequence(sequence.token_ids[:tokens], channels, sequence.label)


def likelihood(sequences: Sequence[TokenSequence], weight: float = 1.0, name: str = "") -> Objective:
    """Cross-entropy over sequences, averaged over the tokens that carry loss."""
    counts = {"tokens": sum(loss_tokens(sequence) for sequence in sequences)}
    units = [(sequence,) for sequence in sequences]
    return Objective(units, CrossEntropy(), counts, weight=weight, name=name)
