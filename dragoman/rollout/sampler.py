"""What the stages, the RL controller and the evaluation need of rollout engines. `RolloutGroup` is one."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Protocol

from dragoman.learner import WeightSource
from dragoman.rollout.completion import Completion, SamplingSettings


class Sampler(Protocol):
    """Engines that all hold the same weights."""

    def generate_group(
        self, prompt_ids: Sequence[int], sampling: SamplingSettings, seeds: Sequence[int | None]
    ) -> AsyncGenerator[tuple[int, Completion], None]:
        """One answer for each seed to one prompt, each with its place among the seeds, as they end."""

    async def generate_many(
        self, prompts: Sequence[Sequence[int]], sampling: SamplingSettings, seeds: Sequence[int | None] | None = None
    ) -> list[Completion]:
        """One answer to each prompt, in order."""

    async def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        """Of each sequence the log-probability of every token but the first, given those before it."""

    async def load(self, folder: Path) -> None:
        """The weights of a Hugging Face folder into every engine."""

    async def sleep(self) -> None:
        """Nothing is asked until the next `sync`: engines that share their GPU with the learner leave it to it."""

    async def sync(self, source: WeightSource, version: int) -> float:
        """The weights of a learner into every engine, as `version`; returns the seconds it took."""
