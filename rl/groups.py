"""What flows through reinforcement learning. Frozen, plain data.

Every sample carries its own reward, advantage and group; nothing is recovered from its place in a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.rollout import Completion
from rewards import Score


@dataclass(frozen=True)
class PromptTask:
    """One prompt to sample a group for."""

    number: int
    """Place in the endless stream of prompts; identifies this visit of the prompt"""
    id: str
    row: Mapping[str, Any]
    """The data row: messages, rewards and the columns rewards read"""
    prompt_ids: tuple[int, ...]
    task: str
    """Kind of work, for the figures: translation, math, code, constraints, …"""


@dataclass(frozen=True)
class Sample:
    """One answer with its reward."""

    index: int
    completion: Completion
    score: Score

    @property
    def reward(self) -> float | None:
        """None when it could not be computed; never 0 for that reason."""
        return self.score.reward


@dataclass(frozen=True)
class ScoredGroup:
    """All answers to one prompt."""

    task: PromptTask
    samples: tuple[Sample, ...]
    started_version: int

    @property
    def rewards(self) -> list[float]:
        """Rewards that could be computed."""
        return [s.reward for s in self.samples if s.reward is not None]
