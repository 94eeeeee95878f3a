"""Stages that train on batches which depend on the step alone: continued pretraining, fine-tuning, language-aware
tuning."""

from abc import abstractmethod
from pathlib import Path

from dragoman.data.rows import read_conversations
from dragoman.learner import OptimiserSettings
from dragoman.pipeline.exposure import WRONG_INSTRUCTION, Directions, wrong_directions
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import SENTENCE_TOKENS, Stage, StageMetrics, Work, register_stage
from dragoman.recipes import Recipe
from pretrain_sft.language_aware import LanguageAwareSource
from pretrain_sft.loop import BatchSource, train
from pretrain_sft.mixture_source import MixtureSource
from pretrain_sft.settings import ContinuedSettings, LanguageAwareSettings, SupervisedSettings, files_of


class SupervisedStage(Stage):
    """A subclass says where its batches come from."""

    @abstractmethod
    def settings(self, recipe: Recipe) -> OptimiserSettings:
        """See `Stage.settings`."""

    @abstractmethod
    def source(self, session: Session) -> BatchSource:
        """The batches of every step."""

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        source, folder = self.source(session), session.folder
        settings = self.settings(session.recipe)
        learner = await session.hold(parent, settings)
        await train(
            learner, source, stage=self.name, optimiser=settings, checkpoints=folder.checkpoints(self.name),
            sink=session.sink,
        )  # fmt: skip
        await learner.save(folder.model(self.name))
        return {}


class MixtureStage(SupervisedStage):
    """Files mixed by shares of tokens; what carries loss is in the rows."""

    @abstractmethod
    def settings(self, recipe: Recipe) -> ContinuedSettings | SupervisedSettings:
        """See `Stage.settings`."""

    def files(self, recipe: Recipe) -> list[str]:
        """Those with a share."""
        return files_of(self.settings(recipe).mixture)

    def work(self, recipe: Recipe) -> Work:
        settings = self.settings(recipe)
        return Work(settings.steps * settings.batch_tokens)

    def source(self, session: Session) -> BatchSource:
        recipe, settings = session.recipe, self.settings(session.recipe)
        return MixtureSource(session.data, settings, session.encoder, recipe.seed)


class ContinuedPretraining(MixtureStage):
    """Next token, on documents."""

    name, title, instructed = "cpt", "continued pretraining", False

    def settings(self, recipe: Recipe) -> ContinuedSettings:
        return recipe.cpt


class FineTuning(MixtureStage):
    """Answers to instructions; prompts carry no loss."""

    name, title = "sft", "fine-tuning"

    def settings(self, recipe: Recipe) -> SupervisedSettings:
        return recipe.sft


class LanguageAwareTuning(SupervisedStage):
    """The right answer becomes unlikely under an instruction with the wrong language."""

    name, title = "lat", "language-aware tuning"

    def settings(self, recipe: Recipe) -> LanguageAwareSettings:
        return recipe.lat

    def files(self, recipe: Recipe) -> list[str]:
        """Its translations, and what it replays."""
        return ["lat.jsonl", *files_of(recipe.lat.replay)]

    def work(self, recipe: Recipe) -> Work:
        return Work(recipe.lat.steps * recipe.lat.batch_examples * SENTENCE_TOKENS)

    def directions(self, recipe: Recipe, data: Path) -> Directions:
        """Also those that are asked for in vain."""
        rows = read_conversations(data / "lat.jsonl", translations=True)
        wrong = wrong_directions([row.pair.direction for row in rows if row.pair])
        return {**super().directions(recipe, data), WRONG_INSTRUCTION: wrong}

    def source(self, session: Session) -> BatchSource:
        recipe = session.recipe
        return LanguageAwareSource(session.data, recipe.lat, session.encoder, recipe.seed)


for stage in (ContinuedPretraining(), FineTuning(), LanguageAwareTuning()):
    register_stage(stage)
