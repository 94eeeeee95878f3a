"""Reinforcement learning with verifiable rewards."""

from functools import partial
from pathlib import Path

from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import SENTENCE_TOKENS, StageMetrics, Work, register_stage
from dragoman.pipeline.stages.sampled import SamplingStage, reward_kinds
from dragoman.recipes import Recipe
from dragoman.rollout import answer_text
from rl.algorithms import find_algorithm
from rl.controller import Controller, RunLog
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

    def work(self, recipe: Recipe) -> Work:
        """See `Stage.work`; groups that are filtered out are written, too, and not counted."""
        s = recipe.rl
        answers = s.groups_per_step * s.samples * s.max_tokens
        return Work(s.steps * (answers + s.groups_per_step * SENTENCE_TOKENS), s.steps * answers)

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        """See `Stage.build`."""
        recipe, folder, settings = session.recipe, session.folder, self.settings(session.recipe)
        encoded = session.prompts(self.name, self.longest_prompt(recipe))
        prompts = PromptSource([e.prompt for e in encoded], [e.token_ids for e in encoded], recipe.seed)
        learner = await session.hold(parent, settings)
        algorithm = find_algorithm(settings.algorithm)(settings, recipe.rewards.mixing)
        for name, model in algorithm.frozen_models(parent).items():
            await learner.load_frozen(name, model)
        controller = Controller(
            prompts,
            GroupRollout(await session.connected_rollout(), session.pools(), settings, recipe.seed),
            Update(learner, algorithm, self.ptx(session)),
            RunLog(session.sink, SamplesLog(folder.root / "samples.jsonl")),
            TokenCredit(algorithm, partial(answer_text, session.tokenizer)),
            max_error_share=recipe.rewards.max_error_share,
            checkpoints=folder.checkpoints(self.name),
        )
        if settings.whole_waves and not settings.staleness:
            print(
                f"rl: a step trains on every group of a wave that teaches, {settings.groups_per_step} or more "
                "(rl.whole_waves)",
                flush=True,
            )
        await controller.run()
        await learner.save(folder.model(self.name))
        return {"reward_kinds": reward_kinds(encoded), "reward_checks": session.pools().stats()}


register_stage(ReinforcementLearning())
