"""What the stages that sample prompts and score answers have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from dragoman.pipeline.fingerprints import file_hash, plugin_file
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import Stage
from dragoman.recipes import Recipe
from dragoman.settings import result_values
from pretrain_sft.ptx import PtxSource
from pretrain_sft.settings import PreferenceSettings
from rewards.settings import PoolSettings
from rl.settings import RlSettings


class SamplingStage(Stage):
    """A subclass samples the prompts of `NAME.jsonl`."""

    @abstractmethod
    def settings(self, recipe: Recipe) -> PreferenceSettings | RlSettings:
        """See `Stage.settings`."""

    def files(self, recipe: Recipe) -> list[str]:
        """Its prompts, and the data of earlier stages if it trains on some."""
        return [f"{self.name}.jsonl", *self.settings(recipe).ptx.files]

    def depends_on(self, recipe: Recipe) -> Mapping[str, Any]:
        """Also on the engines' dtype and on everything about the rewards that affects a value."""
        rewards = {"rewards": reward_values(recipe), "plugins": plugin_hashes(recipe)}
        return {**super().depends_on(recipe), "rollout": result_values(recipe.rollout), **rewards}

    async def check(self, session: Session) -> None:
        """Rows, rewards and prompt lengths."""
        session.prompts(self.name, self.longest_prompt(session.recipe))

    def longest_prompt(self, recipe: Recipe) -> int:
        """Tokens of a prompt that leaves space for an answer: in the context, and in a packed row of the learner."""
        return min(recipe.model.context, recipe.learner.row_tokens) - self.settings(recipe).max_tokens

    def ptx(self, session: Session) -> PtxSource | None:
        """The second objective of a stage whose section asks for one."""
        settings, recipe = self.settings(session.recipe), session.recipe
        if not settings.ptx.coefficient:
            return None
        row_tokens = recipe.learner.row_tokens
        return PtxSource(session.data, settings.ptx, session.tokenizer, row_tokens, settings.steps, recipe.seed)


ORDINARY = result_values(PoolSettings())


def reward_values(recipe: Recipe) -> Mapping[str, Any]:
    """What affects the value of a reward; a pool that differs in nothing of that is as good as not named."""
    values = result_values(recipe.rewards)
    return {**values, "pools": {kind: pool for kind, pool in values["pools"].items() if pool != ORDINARY}}


def plugin_hashes(recipe: Recipe) -> list[list[str]]:
    """Function name and hash of the file of each plug-in, wherever the file lies."""
    return [[reference.rpartition(":")[2], file_hash(plugin_file(reference))] for reference in recipe.rewards.plugins]
