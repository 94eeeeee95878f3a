"""What flows through reinforcement learning. Frozen, plain data.

Every sample carries its own reward and group; nothing is recovered from its place in a list.
"""

from dataclasses import dataclass

from dragoman.data.rows import Prompt
from dragoman.rollout import Completion
from rewards.records import Score


@dataclass(frozen=True)
class PromptVisit:
    """One visit of a prompt, to sample a group for."""

    number: int
    """Place in the endless stream of prompts; identifies the visit"""
    prompt: Prompt
    token_ids: tuple[int, ...]
    weight: float = 1.0
    """Of its answers' credit beside those of other visits"""

    @property
    def id(self) -> str:
        """The prompt's."""
        return self.prompt.id


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
    """All answers to one visit of a prompt."""

    visit: PromptVisit
    samples: tuple[Sample, ...]
    started_version: int

    @property
    def known(self) -> list[Sample]:
        """Samples whose reward could be computed."""
        return [sample for sample in self.samples if sample.reward is not None]

    @property
    def rewards(self) -> list[float]:
        """Rewards that could be computed."""
        return [sample.reward for sample in self.samples if sample.reward is not None]
