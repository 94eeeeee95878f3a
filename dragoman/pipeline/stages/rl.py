"""Reinforcement learning with verifiable rewards."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from dragoman.learner.encoding import encode_prompt
from dragoman.learner.trainer import TEACHER
from dragoman.pipeline.backends.openrlhf import run as openrlhf
from dragoman.pipeline.periodic import DevelopmentSuites
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import SENTENCE_TOKENS, StageMetrics, Work, register_stage
from dragoman.pipeline.stages.sampled import SamplingStage, hashes_of, reward_kinds
from dragoman.pipeline.suites import DEVELOPMENT, development_hashes, suites_of
from dragoman.recipes import Recipe
from dragoman.rollout import answer_text
from dragoman.settings import Json
from rl.algorithms import find_algorithm
from rl.controller import Controller, RunLog
from rl.distillation import Distillation, check_teacher
from rl.post_editing import PostEditedPrompts
from rl.prompts import PromptSource
from rl.rollouts import GroupRollout
from rl.samples_log import SamplesLog
from rl.settings import BFLOAT16_AGREEMENT, RlSettings
from rl.token_credit import TokenCredit
from rl.update import Update


class ReinforcementLearning(SamplingStage):
    """Groups of answers, scored by verifiers."""

    name, title = "rl", "reinforcement learning"

    def settings(self, recipe: Recipe) -> RlSettings:
        """See `Stage.settings`; what an engine and a learner may differ by depends on their dtype."""
        if recipe.rl.agreement_threshold is None and recipe.learner.dtype == "bfloat16":
            return recipe.rl.model_copy(update={"agreement_threshold": BFLOAT16_AGREEMENT})
        return recipe.rl

    def depends_on(self, recipe: Recipe) -> Mapping[str, Json]:
        """Also on the files of a teacher."""
        teacher = recipe.rl.distillation.teacher
        chosen = {"suites": development_hashes(recipe)} if recipe.rl.evaluation.every else {}
        return {**super().depends_on(recipe), **chosen, **({"teacher": hashes_of(Path(teacher))} if teacher else {})}

    async def check(self, session: Session) -> None:
        """Rows, rewards and prompt lengths; and that a teacher reads the same tokens."""
        await super().check(session)
        if session.recipe.rl.evaluation.every:
            suites_of(session, DEVELOPMENT)
        if session.recipe.rl.backend == "openrlhf":
            openrlhf.check(session.recipe)
        if session.recipe.rl.distillation.teacher:
            teacher = Path(session.recipe.rl.distillation.teacher)
            check_teacher(session.tokenizer, session.folder.model("base"), teacher)

    def work(self, recipe: Recipe) -> Work:
        """See `Stage.work`; groups that are filtered out are written, too, and not counted."""
        s = recipe.rl
        answers = s.groups_per_step * s.samples * s.max_tokens
        return Work(s.steps * (answers + s.groups_per_step * SENTENCE_TOKENS), s.steps * answers)

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        recipe, folder, settings = session.recipe, session.folder, self.settings(session.recipe)
        encoded, prompts = session.prompts(self.name, self.longest_prompt(recipe)), self._prompts(session)
        if settings.backend == "openrlhf":
            checks = await openrlhf.train(session, parent, prompts)
            return {"reward_kinds": reward_kinds(encoded), "reward_checks": checks, "backend": "openrlhf"}
        algorithm = find_algorithm(settings.algorithm)(settings, recipe.rewards.mixing)
        print(f"rl: {algorithm.described()}", flush=True)
        learner = await session.hold(parent, settings, algorithm.value_head())
        for name, model in algorithm.frozen_models(parent).items():
            await learner.load_frozen(name, model)
        distillation = None
        if settings.distillation.teacher:
            await learner.load_frozen(TEACHER, Path(settings.distillation.teacher))
            distillation = Distillation(learner, settings.distillation, settings.temperature)
        controller = Controller(
            prompts,
            GroupRollout(await session.rollout(), session.pools(), settings, recipe.seed),
            Update(learner, algorithm, self.auxiliary(session), distillation),
            RunLog(session.sink, SamplesLog(folder.root / "samples.jsonl")),
            TokenCredit(algorithm, partial(answer_text, session.tokenizer)),
            max_error_share=recipe.rewards.max_error_share,
            checkpoints=folder.checkpoints(self.name),
            evaluator=DevelopmentSuites(session, settings.evaluation.limit) if settings.evaluation.every else None,
            stacks=folder.stacks,
        )
        if settings.whole_waves and not settings.staleness:
            print(
                f"rl: a step trains on every group of a wave that teaches, {settings.groups_per_step} or more "
                "(rl.whole_waves)",
                flush=True,
            )
        await controller.run()
        if not controller.evaluation.settle(folder.model(self.name)):
            await learner.save(folder.model(self.name))
        measured = controller.evaluation.best
        return {
            "reward_kinds": reward_kinds(encoded), "reward_checks": session.pools().stats(),
            "steps": controller.version, "best": None if measured is None else asdict(measured),
        }  # fmt: skip

    def _prompts(self, session: Session) -> PromptSource:
        longest, settings = self.longest_prompt(session.recipe), session.recipe.rl.post_editing
        encoded, seed = session.prompts(self.name, longest), session.recipe.seed
        asked, ids = [e.prompt for e in encoded], [e.token_ids for e in encoded]
        if not settings.share:
            return PromptSource(asked, ids, seed)
        return PostEditedPrompts(asked, ids, seed, settings, partial(encode_prompt, session.tokenizer), longest)


register_stage(ReinforcementLearning())
