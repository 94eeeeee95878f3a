"""Questions, answers, and what an answerer is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Protocol

from pydantic import Field

from dragoman.data.rows import Message
from dragoman.errors import DragomanError
from dragoman.settings import Settings


class AnsweringError(DragomanError):
    """Answers cannot be had: which model, file or endpoint, why, and what to do."""


class Decoding(Settings):
    """How answers are drawn: one greedy, and `samples` more at a temperature."""

    samples: int = Field(0, ge=0, le=1024)
    temperature: float = Field(1.0, gt=0, le=10)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(512, ge=1, le=131_072)
    seed: int = 0
    beams: int = Field(1, ge=1, le=10)
    """Above 1: the answer is the best of a beam search of this width, in place of the greedy one"""
    greedy: bool = True
    """False where one of the samples is chosen: then nobody needs the greedy answer"""


@dataclass(frozen=True)
class Question:
    """One answer that is wanted. Everything that it depends on beside the model is in here."""

    id: str
    """Of the row"""
    sample: int
    """0 is the greedy answer, 1 and above are samples"""
    messages: tuple[Message, ...] = ()
    text: str = ""
    """In place of messages: a plain text to go on with, without a chat template"""
    stop: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Of a multiple-choice row: the likeliest of them is the answer, and nothing is generated. Without
    messages and text the one choice is a plain text whose log-probability is wanted (perplexity)"""
    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    beams: int = 1

    def key(self, model: str) -> str:
        """Hash of the question and the model: equal keys mean the same answer. The row's name has no part in it, but
        the seed of a sample is made of it."""
        asked = {**asdict(self), "messages": [dict(message) for message in self.messages], "model": model}
        del asked["id"]
        if self.beams == 1:
            del asked["beams"]
        text = json.dumps(asked, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    text: str
    finish_reason: str = "stop"
    """`stop`, `length`, or `too_long` for a prompt that leaves no room for an answer"""
    logprobs: tuple[float, ...] = ()
    """Of each choice, where the question had some"""


class Answerer(Protocol):
    """Anything that answers questions. It is opened once, asked many times at once, and closed."""

    name: str
    """As tables call it"""
    fingerprint: str
    """Two models with the same one give the same greedy answers"""
    concurrency: int
    """How many questions it may have in hand"""
    remembers: bool
    """Whether its answers are worth keeping; those of a file are there already"""

    async def open(self) -> None:
        """Start whatever answers."""

    async def answer(self, question: Question) -> Answer:
        """One answer."""

    def fits(self, text: str, room: int) -> bool:
        """Whether a plain text leaves room for an answer of so many tokens."""

    def close(self) -> None:
        """End whatever answers."""
