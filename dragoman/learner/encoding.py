"""Rows to token sequences: documents for pretraining, chats with the loss on the answer only.

The answer's tokens are what the chat template adds after the generation prompt, end token included: the model must
learn to stop. What a template writes behind the end token (ChatML's line break) no engine ever samples, and it
carries no loss. A template whose prompt is not a prefix of the whole chat is refused, because then no mask would be
right. Templates that ask for today's date are given the recipe's `model.template_date`, so that a row is the same
tokens tomorrow.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from jinja2 import TemplateError

from dragoman.errors import DragomanError
from dragoman.learner.packing import TokenSequence

TEMPLATE_DATE = "2026-01-01"
"""What a chat template is told when it asks for the date, where the tokenizer names none"""
DOCUMENT_ENDS = ("<|endoftext|>", "<|end_of_text|>", "<eos>", "</s>")
"""GPT-2 and Qwen, Llama 3, Gemma, Llama 2"""


class EncodingError(DragomanError):
    """A row that cannot be turned into tokens; the text names the row and the reason."""


def encode_prompt(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Token ids of a chat up to and including the generation prompt."""
    return encode_prompts(tokenizer, [messages])[0]


def prompt_text(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> str:
    """A chat as text up to and including the generation prompt; its tokens are those of `encode_prompt`."""
    return _text(tokenizer, messages, True, "")


def encode_prompts(
    tokenizer: Any, chats: Sequence[Sequence[Mapping[str, str]]], labels: Sequence[str] = ()
) -> list[list[int]]:
    """As `encode_prompt`, for many: the tokenizer is called once, which takes a fraction of the time."""
    named = zip(chats, labels or [""] * len(chats), strict=True)
    return _all_ids(tokenizer, [_text(tokenizer, messages, True, label) for messages, label in named])


def encode_chat(tokenizer: Any, messages: Sequence[Mapping[str, str]], label: str = "") -> TokenSequence:
    """A chat that ends with the assistant; `loss_mask` is 1 on the last answer and its end token."""
    return encode_chats(tokenizer, [messages], [label])[0]


def encode_chats(
    tokenizer: Any, chats: Sequence[Sequence[Mapping[str, str]]], labels: Sequence[str], *, all_turns: bool = False
) -> list[TokenSequence]:
    """As `encode_chat`, for many; with `all_turns` the loss falls on every answer of the assistant."""
    pieces = [_pieces(tokenizer, chat, label, all_turns) for chat, label in zip(chats, labels, strict=True)]
    apart = iter(_all_ids(tokenizer, [text for found in pieces for text, _ in found]))
    wholes = _all_ids(tokenizer, ["".join(text for text, _ in found) for found in pieces])
    return [
        _joined([next(apart) for _ in found], [trained for _, trained in found], whole, tokenizer.eos_token_id, label)
        for found, whole, label in zip(pieces, wholes, labels, strict=True)
    ]


def _pieces(
    tokenizer: Any, messages: Sequence[Mapping[str, str]], label: str, all_turns: bool
) -> list[tuple[str, bool]]:
    """The text of a chat in pieces, each with whether it is an answer to learn."""
    if not messages or messages[-1]["role"] != "assistant":
        raise EncodingError(f"row {label}: messages must end with the assistant's answer")
    answers = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
    found, done = [], ""
    for number in answers if all_turns else answers[-1:]:
        prompt = _text(tokenizer, messages[:number], True, label)
        whole = _text(tokenizer, messages[: number + 1], False, label)
        if not (prompt.startswith(done) and whole.startswith(prompt)):
            raise EncodingError(
                f"row {label}: this chat template does not start an answer where its prompt ends"
                + ("; set sft.trained_turns=last" if len(answers) > 1 and all_turns else "")
            )
        found += [(prompt[len(done) :], False), (whole[len(prompt) :], True)]
        done = whole
    return found


def _joined(
    apart: Sequence[Sequence[int]], trained: Sequence[bool], whole: Sequence[int], end: int | None, label: str
) -> TokenSequence:
    """Pieces that were tokenised apart as one sequence, as an engine sees a prompt and then writes an answer.

    A tokenizer that begins every text with a space of its own would put one before each piece; there the pieces are
    those of the whole text, where it has them at all.
    """
    ids, mask = [n for piece in apart for n in piece], []
    for piece, learned in zip(apart, trained, strict=True):
        mask += _learned(piece, end) if learned else [0.0] * len(piece)
    first = len(apart[0])
    if list(whole) != ids and len(apart) == 2 and list(whole[:first]) == list(apart[0]):
        ids, mask = list(whole), [0.0] * first + _learned(whole[first:], end)
    return TokenSequence(np.asarray(ids, np.int32), {"loss_mask": np.asarray(mask, np.float32)}, label)


def _learned(piece: Sequence[int], end: int | None) -> list[float]:
    """1 on an answer up to its end token, 0 on what the template writes behind it."""
    last = max((place for place, token in enumerate(piece) if token == end), default=len(piece) - 1)
    return [float(place <= last) for place in range(len(piece))]


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
    """Texts, each cut into pieces of at most `limit` tokens. Loss on all tokens of a piece but the first.

    What stands before and after a text is the tokenizer's own convention: its begin token if it puts one before every
    text, and the token that ends a document.
    """
    begin = [n for n in tokenizer("")["input_ids"] if n == tokenizer.bos_token_id]
    end, found = document_end(tokenizer), []
    for inner, label in zip(_all_ids(tokenizer, texts), labels, strict=True):
        ids = np.asarray([*begin, *inner, end], np.int32)
        pieces = [ids[start : start + limit] for start in range(0, len(ids), limit)]
        found += [TokenSequence(piece, {"loss_mask": _all_but_first(len(piece))}, label) for piece in pieces]
    return found


def encode_texts(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Texts whose every token can be predicted: behind the begin token, or behind the end of a document before.

    As `loglikelihood_rolling` of lm-evaluation-harness.
    """
    begin = document_end(tokenizer) if tokenizer.bos_token_id is None else int(tokenizer.bos_token_id)
    return [[begin, *ids] for ids in _all_ids(tokenizer, texts)]


def document_end(tokenizer: Any) -> int:
    """The token after a document: `document_end_token` of tokenizer_config.json, else the one that model families use
    beside their end of a turn, else the end token."""
    named = getattr(tokenizer, "document_end_token", None)
    for token in (named, *DOCUMENT_ENDS):
        if token is not None and token in tokenizer.all_special_tokens + list(tokenizer.added_tokens_encoder):
            return int(tokenizer.convert_tokens_to_ids(token))
    return int(tokenizer.eos_token_id)


def loss_tokens(sequence: TokenSequence) -> float:
    """How many tokens of a sequence carry loss."""
    return float(sequence.channels["loss_mask"].sum())


def _all_but_first(length: int) -> np.ndarray:
    mask = np.ones(length, np.float32)
    mask[0] = 0
    return mask


def _text(tokenizer: Any, messages: Sequence[Mapping[str, str]], generation_prompt: bool, label: str = "") -> str:
    day = date.fromisoformat(getattr(tokenizer, "template_date", None) or TEMPLATE_DATE)
    try:
        return str(
            tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=generation_prompt, strftime_now=day.strftime
            )
        )
    except TemplateError as error:
        roles, row = ", ".join(m["role"] for m in messages), label or repr(messages[-1]["content"])[:60]
        raise EncodingError(
            f"row {row}: the model's chat template refuses its messages ({roles}): {error}; change the row, or the "
            "template (chat_template.jinja)"
        ) from None


def _all_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    return list(tokenizer(list(texts), add_special_tokens=False)["input_ids"])
