"""From rows to token sequences with loss, and the plain objective on them: what all sources share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.data.rows import Conversation, Document, read_texts_or_chats
from dragoman.data.settings import LongRows
from dragoman.learner import Objective, TokenSequence
from dragoman.learner.encoding import encode_chats, encode_documents, loss_tokens
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.packing import SequenceTooLong


@dataclass(frozen=True)
class RowLimit:
    """How long an example may be, and what becomes of a longer one."""

    tokens: int
    longer: LongRows = "refuse"


def encode_files(
    data: Path, shares: Mapping[str, float], tokenizer: Any, limit: RowLimit, *, all_turns: bool = False
) -> dict[str, list[TokenSequence]]:
    """The examples of every file with a share, by its name."""
    wanted = [name for name, share in shares.items() if share > 0]
    return {name: encode_file(data / f"{name}.jsonl", tokenizer, limit, all_turns=all_turns) for name in wanted}


def encode_file(path: Path, tokenizer: Any, limit: RowLimit, *, all_turns: bool = False) -> list[TokenSequence]:
    """All conversations of a file, or all its documents (cut at the limit, every token carries loss)."""
    rows = read_texts_or_chats(path)
    documents = [row for row in rows if isinstance(row, Document)]
    if documents:
        labels, texts = [row.id for row in documents], [row.text for row in documents]
        return encode_documents(tokenizer, texts, limit.tokens, labels)
    chats = [row for row in rows if isinstance(row, Conversation)]
    return fitting(encode_conversations(chats, path.name, tokenizer, all_turns=all_turns), path.name, limit)


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
    long = [one for one in sequences if len(one.token_ids) > limit.tokens]
    if not long:
        return list(sequences)
    told = f"{len(long)} of {len(sequences)} rows of {file} have more than {limit.tokens} tokens"
    if limit.longer == "refuse":
        raise SequenceTooLong(
            f"{told}, for instance {long[0].label} with {len(long[0].token_ids)}; set data.long_rows to drop or "
            "truncate, or raise learner.row_tokens and model.context"
        )
    kept = [one for one in sequences if len(one.token_ids) <= limit.tokens or limit.longer == "truncate"]
    cut = [shown for shown in (_cut(one, limit.tokens) for one in kept) if loss_tokens(shown)]
    if not cut:
        raise SequenceTooLong(f"{told}: nothing is left to train on; raise learner.row_tokens and model.context")
    lost = len(sequences) - len(cut)
    print(f"{told}: {len(long) - lost} were cut there, {lost} left out (data.long_rows={limit.longer})", flush=True)
    return cut


def _cut(sequence: TokenSequence, tokens: int) -> TokenSequence:
    channels = {name: values[:tokens] for name, values in sequence.channels.items()}
    return TokenSequence(sequence.token_ids[:tokens], channels, sequence.label)


def likelihood(sequences: Sequence[TokenSequence], weight: float = 1.0, name: str = "") -> Objective:
    """Cross-entropy over sequences, averaged over the tokens that carry loss."""
    counts = {"tokens": sum(loss_tokens(sequence) for sequence in sequences)}
    units = [(sequence,) for sequence in sequences]
    return Objective(units, CrossEntropy(), counts, weight=weight, name=name)
