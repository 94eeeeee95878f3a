"""Rows as the quickstart writes them; docs/data.md describes the columns, `dragoman.data.rows` reads them back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.data.quickstart.examples import Example


@dataclass(frozen=True)
class TextRow:
    """Text to continue."""

    id: str
    text: str
    language: str = ""
    """Of monolingual text"""
    languages: tuple[str, ...] = ()
    """Source and target of parallel text"""

    def columns(self) -> Mapping[str, Any]:
        """The row as JSON has it."""
        named = {"language": self.language, "languages": list(self.languages)}
        return {"id": self.id, "text": self.text, **{name: value for name, value in named.items() if value}}


@dataclass(frozen=True)
class ChatRow:
    """A conversation to learn from."""

    id: str
    example: Example

    def columns(self) -> Mapping[str, Any]:
        """The row as JSON has it."""
        messages = [_message("user", self.example.prompt), _message("assistant", self.example.answer)]
        return {"id": self.id, "task": self.example.task, "messages": messages, **self.example.extra}


@dataclass(frozen=True)
class PromptRow:
    """A prompt to sample from, with the rewards of its answers.

    Its `cluster` is its question, which other rows may ask in other words: one sum in several wordings is right or
    wrong in all of them.
    """

    id: str
    example: Example

    def columns(self) -> Mapping[str, Any]:
        """The row as JSON has it."""
        example = self.example
        named = {"id": self.id, "task": example.task, "cluster": example.key}
        rewards = [dict(reward) for reward in example.rewards]
        return {**named, "messages": [_message("user", example.prompt)], "rewards": rewards, **example.extra}


@dataclass(frozen=True)
class SuiteRow(PromptRow):
    """A prompt of an evaluation suite, with its reference."""

    suite: str
    heldout: str
    """What training never saw of it: "slots" or "template" """

    def columns(self) -> Mapping[str, Any]:
        """The row as JSON has it."""
        added = {"reference": self.example.answer, "suite": self.suite, "heldout": self.heldout}
        return {**super().columns(), **added}


FileRow = TextRow | ChatRow | PromptRow


def _message(role: str, content: str) -> Mapping[str, str]:
    return {"role": role, "content": content}
