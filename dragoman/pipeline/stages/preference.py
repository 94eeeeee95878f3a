"""Preference optimisation: sample pairs with the parent policy, score them, train on them."""

from __future__ import annotations

from pathlib import Path

from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import StageMetrics, register_stage
from dragoman.pipeline.stages.sampled import SamplingStage, reward_kinds
from dragoman.recipes import Recipe
from pretrain_sft.loop import train
from pretrain_sft.preference.accuracy import heldout_metrics, heldout_reward_accuracy
from pretrain_sft.preference.pairs import Pair, check_pairs, read_pairs, write_pairs
from pretrain_sft.preference.sampling import sample_pairs
from pretrain_sft.preference.source import PreferenceSource, pair_logprobs
from pretrain_sft.settings import PreferenceSettings


class PreferenceOptimisation(SamplingStage):
    """The model's own answers are ranked by the rewards, and pairs of them trained on."""

    name, title = "preference", "preference optimisation"

    def settings(self, recipe: Recipe) -> PreferenceSettings:
        """See `Stage.settings`."""
        return recipe.preference

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        """See `Stage.build`; the metrics are of held-out pairs."""
        recipe, folder, settings = session.recipe, session.folder, session.recipe.preference
        learner = await session.hold(parent, settings)
        pairs = await self._pairs(session, parent)
        reference = await pair_logprobs(learner, pairs)
        source = PreferenceSource(pairs, reference, settings, recipe.seed, self.ptx(session))
        before = await heldout_metrics(learner, source, pairs, "before")
        await train(
            learner, source, stage=self.name, optimiser=settings, checkpoints=folder.checkpoints(self.name),
            sink=session.sink,
        )  # fmt: skip
        after = await heldout_metrics(learner, source, pairs, "after")
        after["heldout_reward_accuracy"] = await heldout_reward_accuracy(learner, pairs, reference)
        print("preference: " + "  ".join(f"{k} {v:.3f}" for k, v in {**before, **after}.items()), flush=True)
        await learner.save(folder.model(self.name))
        kinds = reward_kinds(session.prompts(self.name, self.longest_prompt(recipe)))
        counts: StageMetrics = {"pairs": len(pairs), "heldout_pairs": len(source.heldout), "reward_kinds": kinds}
        return {**counts, **before, **after}

    async def _pairs(self, session: Session, parent: Path) -> list[Pair]:
        """Those of an attempt that was interrupted, or new ones."""
        recipe, settings = session.recipe, session.recipe.preference
        file = session.folder.stage(self.name) / "pairs.jsonl"
        if not file.is_file():
            prompts = session.prompts(self.name, self.longest_prompt(recipe))[: settings.prompts]
            print(f"preference: {settings.samples} answers to each of {len(prompts)} prompts", flush=True)
            sampler = await session.serve(parent)
            pairs = await sample_pairs(
                prompts, settings, sampler, session.pools(), recipe.seed, recipe.rewards.max_error_share
            )
            check_pairs(pairs)
            write_pairs(file, pairs)
        return read_pairs(file)


register_stage(PreferenceOptimisation())
