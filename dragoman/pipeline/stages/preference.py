"""Preference optimisation: sample pairs with the parent policy, score them, train on them."""

from pathlib import Path

from dragoman.pipeline.fingerprints import file_hash, fingerprint
from dragoman.pipeline.manifest import read_manifest
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import SENTENCE_TOKENS, StageMetrics, Work, register_stage
from dragoman.pipeline.stages.sampled import SamplingStage, reward_kinds
from dragoman.recipes import Recipe
from dragoman.settings import result_values
from pretrain_sft.loop import train
from pretrain_sft.preference.accuracy import heldout_metrics, heldout_reward_accuracy
from pretrain_sft.preference.bias import language_bias, length_bias
from pretrain_sft.preference.given import FILE, given_pairs
from pretrain_sft.preference.pairs import (
    Pair,
    SampledPrompt,
    check_pairs,
    pairs_of,
    read_pairs,
    read_sampled,
    write_pairs,
    write_sampled,
)
from pretrain_sft.preference.sampling import sample_answers
from pretrain_sft.preference.source import PreferenceSource, reference_of
from pretrain_sft.settings import PreferenceSettings

SAMPLING = ("prompts", "samples", "temperature", "top_p", "top_k", "bad_words", "max_tokens")
"""Settings of the stage that change its answers"""


class PreferenceOptimisation(SamplingStage):
    """The model's own answers are ranked by the rewards, and pairs of them trained on."""

    name, title = "preference", "preference optimisation"

    def settings(self, recipe: Recipe) -> PreferenceSettings:
        return recipe.preference

    def files(self, recipe: Recipe) -> list[str]:
        """Prompts to sample, given pairs, or both."""
        prompts, *further = super().files(recipe)
        return {"sampled": [prompts], "file": [FILE], "both": [prompts, FILE]}[recipe.preference.pairs] + further

    async def check(self, session: Session) -> None:
        """Rows, rewards and prompt lengths; given pairs, too."""
        if session.recipe.preference.pairs != "file":
            await super().check(session)
        self._given(session)

    def work(self, recipe: Recipe) -> Work:
        """See `Stage.work`; the log-probs of the parent cost a third of a training step."""
        s = recipe.preference
        pair = SENTENCE_TOKENS + 2 * s.max_tokens
        scored = s.prompts * s.pairs_per_prompt * pair / 3
        return Work(s.steps * s.batch_pairs * pair + scored, s.prompts * s.samples * s.max_tokens)

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        """See `Stage.build`; the metrics are of held-out pairs."""
        recipe, folder, settings = session.recipe, session.folder, session.recipe.preference
        learner = await session.hold(parent, settings)
        pairs = await self._pairs(session, parent)
        reference = await reference_of(learner, pairs, settings)
        source = PreferenceSource(pairs, reference, settings, recipe.seed, self.auxiliary(session))
        before = await heldout_metrics(learner, source, pairs, "before")
        await train(
            learner, source, stage=self.name, optimiser=settings, checkpoints=folder.checkpoints(self.name),
            sink=session.sink,
        )  # fmt: skip
        after = await heldout_metrics(learner, source, pairs, "after")
        if reference is not None:
            after["heldout_reward_accuracy"] = await heldout_reward_accuracy(learner, pairs, reference.answers)
        print("preference: " + "  ".join(f"{k} {v:.3f}" for k, v in {**before, **after}.items()), flush=True)
        await learner.save(folder.model(self.name))
        sampled = settings.pairs != "file"
        kinds = reward_kinds(session.prompts(self.name, self.longest_prompt(recipe))) if sampled else []
        counts: StageMetrics = {"pairs": len(pairs), "heldout_pairs": len(source.heldout), "reward_kinds": kinds}
        return {**counts, **length_bias(pairs), **language_bias(pairs), **before, **after}

    async def _pairs(self, session: Session, parent: Path) -> list[Pair]:
        """Those of an attempt that was interrupted, or new ones."""
        settings, file = session.recipe.preference, session.folder.stage(self.name) / "pairs.jsonl"
        if not file.is_file():
            pairs = self._given(session)
            if settings.pairs != "file":
                sampled = await self._answers(session, parent)
                ranked = pairs_of(sampled, settings, session.recipe.seed)
                check_pairs(ranked, sampled, settings)
                pairs += ranked
            write_pairs(file, pairs)
        return read_pairs(file)

    @staticmethod
    def _given(session: Session) -> list[Pair]:
        settings = session.recipe.preference
        if settings.pairs == "sampled":
            return []
        return given_pairs(session.data / FILE, session.tokenizer, settings, session.recipe.seed)

    async def _answers(self, session: Session, parent: Path) -> list[SampledPrompt]:
        """Answers of the parent; kept beside the stage, so that another margin or loss samples nothing again."""
        recipe, settings = session.recipe, session.recipe.preference
        file = session.folder.root / "answers" / f"{self._answers_mark(session, parent)}.jsonl"
        if not file.is_file():
            prompts = session.prompts(self.name, self.longest_prompt(recipe))[: settings.prompts]
            print(f"preference: {settings.samples} answers to each of {len(prompts)} prompts", flush=True)
            sampler, share = await session.serve(parent), recipe.rewards.max_error_share
            write_sampled(file, await sample_answers(prompts, settings, sampler, session.pools(), recipe.seed, share))
        sampled = read_sampled(file)
        cut = sum(len(prompt.cut) for prompt in sampled)
        answers = cut + sum(len(prompt.answers) for prompt in sampled)
        print(f"preference: {cut} of {answers} answers ran to max_tokens={settings.max_tokens} and "
              + ("take part" if settings.keep_cut else "are left out"), flush=True)  # fmt: skip
        return sampled

    def _answers_mark(self, session: Session, parent: Path) -> str:
        """What the answers and their rewards depend on."""
        recipe = session.recipe
        manifest = read_manifest(parent.parent)
        sampling = {name: getattr(recipe.preference, name) for name in SAMPLING}
        depends_on = {k: v for k, v in self.depends_on(recipe).items() if k not in ("settings", "learner")}
        return fingerprint(
            {
                "parent": manifest.build if manifest else None,
                "prompts": file_hash(session.data / f"{self.name}.jsonl"),
                "sampling": result_values(sampling),
                "seed": recipe.seed,
                "context": [recipe.model.context, recipe.learner.row_tokens],
                **depends_on,
            }
        )


register_stage(PreferenceOptimisation())
