"""From rows to token sequences with loss, and the plain objective on them: what all sources share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dragoman.data.rows import Conversation, Document, read_texts_or_chats
from dragoman.learner import Objective, TokenSequence
from dragoman.learner.encoding import encode_chats, encode_documents, loss_tokens
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.packing import check_fits


def encode_files(
    data: Path, shares: Mapping[str, float], tokenizer: Any, row_tokens: int
) -> dict[str, list[TokenSequence]]:
    """The examples of every file with a share, by its name."""
    wanted = [name for name, share in shares.items() if share > 0]
    return {name: encode_file(data / f"{name}.jsonl", tokenizer, row_tokens) for name in wanted}


def encode_file(path: Path, tokenizer: Any, row_tokens: int) -> list[TokenSequence]:
    """All conversations of a file, or all its documents (cut at `row_tokens`, every token carries loss).

    Raises `SequenceTooLong` naming the first conversation that fits no packed row.
    """
    rows = read_texts_or_chats(path)
    documents = [row for row in rows if isinstance(row, Document)]
    if documents:
        labels, texts = [row.id for row in documents], [row.text for row in documents]
        return encode_documents(tokenizer, texts, row_tokens, labels)
    return encode_conversations([r for r in rows if isinstance(r, Conversation)], path.name, tokenizer, row_tokens)


def encode_conversations(
    rows: Sequence[Conversation], file: str, tokenizer: Any, row_tokens: int
) -> list[TokenSequence]:
    """Conversations with the loss on the answer; `SequenceTooLong` names the first that fits no packed row."""
    found = encode_chats(tokenizer, [row.messages for row in rows], [f"{file}: row {row.id}" for row in rows])
    for sequence in found:
        check_fits(sequence, row_tokens)
    return found


def likelihood(sequences: Sequence[TokenSequence], weight: float = 1.0, name: str = "") -> Objective:
    """Cross-entropy over sequences, averaged over the tokens that carry loss."""
    counts = {"tokens": sum(loss_tokens(sequence) for sequence in sequences)}
    units = [(sequence,) for sequence in sequences]
    return Objective(units, CrossEntropy(), counts, weight=weight, name=name)
