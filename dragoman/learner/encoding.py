"""Rows to token sequences: documents for pretraining, chats with the loss on the answer only.

The answer's tokens are what the chat template adds after the generation prompt, end token included: the
model must learn to stop. A template whose prompt is not a prefix of the whole chat is refused, because
then no mask would be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dragoman.errors import DragomanError
from dragoman.learner.packing import TokenSequence


class EncodingError(DragomanError):
    """A row that cannot be turned into tokens; the text names the row and the reason."""


def encode_prompt(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Token ids of a chat up to and including the generation prompt."""
    return encode_prompts(tokenizer, [messages])[0]


def encode_prompts(tokenizer: Any, chats: Sequence[Sequence[Mapping[str, str]]]) -> list[list[int]]:
    """As `encode_prompt`, for many: the tokenizer is called once, which takes a fraction of the time."""
    return _all_ids(tokenizer, [_text(tokenizer, messages, generation_prompt=True) for messages in chats])


def encode_chat(tokenizer: Any, messages: Sequence[Mapping[str, str]], label: str = "") -> TokenSequence:
    """A chat that ends with the assistant; `loss_mask` is 1 on the last answer and its end token."""
    return encode_chats(tokenizer, [messages], [label])[0]


def encode_chats(
    tokenizer: Any, chats: Sequence[Sequence[Mapping[str, str]]], labels: Sequence[str]
) -> list[TokenSequence]:
    """As `encode_chat`, for many."""
    for messages, label in zip(chats, labels, strict=True):
        if not messages or messages[-1]["role"] != "assistant":
            raise EncodingError(f"row {label}: messages must end with the assistant's answer")
    prompts = [_text(tokenizer, messages[:-1], generation_prompt=True) for messages in chats]
    wholes = [_text(tokenizer, messages, generation_prompt=False) for messages in chats]
    ids = _all_ids(tokenizer, [*prompts, *wholes])
    found = []
    for prompt, whole, label in zip(ids[: len(chats)], ids[len(chats) :], labels, strict=True):
        if whole[: len(prompt)] != prompt:
            raise EncodingError(f"row {label}: this chat template does not start an answer where its prompt ends")
        found.append(answer_sequence(prompt, whole[len(prompt) :], label))
    return found


def check_lengths(labels: Sequence[str], prompts: Sequence[Sequence[int]], longest: int, key: str) -> None:
    """Raise `EncodingError` naming the first prompt that is longer than `longest` tokens."""
    for label, prompt in zip(labels, prompts, strict=True):
        if len(prompt) > longest:
            raise EncodingError(
                f"prompt {label} has {len(prompt)} tokens, {longest} leave room for an answer: shorten it, lower "
                f"{key}, or raise model.context and learner.row_tokens"
            )


def answer_sequence(prompt: Sequence[int], answer: Sequence[int], label: str = "") -> TokenSequence:
    """Prompt and answer as one sequence with the loss on the answer."""
    ids = np.asarray([*prompt, *answer], dtype=np.int32)
    mask = np.zeros(len(ids), np.float32)
    mask[len(prompt) :] = 1
    return TokenSequence(ids, {"loss_mask": mask}, label)


def encode_documents(tokenizer: Any, texts: Sequence[str], limit: int, labels: Sequence[str]) -> list[TokenSequence]:
    """Texts with end token (and begin token, if there is one), each cut into pieces of at most `limit` tokens.

    Loss on all tokens of a piece but the first.
    """
    begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    found = []
    for inner, label in zip(_all_ids(tokenizer, texts), labels, strict=True):
        ids = np.asarray([*begin, *inner, tokenizer.eos_token_id], np.int32)
        pieces = [ids[start : start + limit] for start in range(0, len(ids), limit)]
        found += [TokenSequence(piece, {"loss_mask": _all_but_first(len(piece))}, label) for piece in pieces]
    return found


def loss_tokens(sequence: TokenSequence) -> float:
    """How many tokens of a sequence carry loss."""
    return float(sequence.channels["loss_mask"].sum())


def _all_but_first(length: int) -> np.ndarray:
    mask = np.ones(length, np.float32)
    mask[0] = 0
    return mask


def _text(tokenizer: Any, messages: Sequence[Mapping[str, str]], generation_prompt: bool) -> str:
    return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=generation_prompt))


def _all_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    return list(tokenizer(list(texts), add_special_tokens=False)["input_ids"])
