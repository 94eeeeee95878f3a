"""The policy on the development suites while reinforcement learning goes on (`rl.evaluation`)."""

import asyncio
from collections.abc import Mapping, Sequence

from dragoman.data.rows import Prompt
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.frontier import overall_score
from dragoman.evaluation.observatory.watch import Observatory
from dragoman.evaluation.observatory.worsening import worsening
from dragoman.evaluation.outcomes import Evaluation, StageTitle
from dragoman.evaluation.tasks import find_task
from dragoman.pipeline.session import Session
from dragoman.pipeline.suites import DEVELOPMENT, limited, suites_of
from rl.evaluation import SCORE

FIRST = "first-evaluation"
"""Answers of version 0, among the stage's snapshots"""


class DevelopmentSuites:
    """Greedy answers of the engines, as they are, to the development suites; never to those that a run reports."""

    def __init__(self, session: Session, limit: int) -> None:
        self.session = session
        self.watch = Observatory(session.folder.root)
        self.suites = [limited(suite, limit, session.recipe.seed) for suite in suites_of(session, DEVELOPMENT)]
        self._first = session.folder.checkpoints("rl") / FIRST

    async def __call__(self, version: int) -> Mapping[str, float]:
        """The figures of the tables by suite, and the score that versions are chosen by."""
        found = await evaluate(
            self.suites, self._answers, self.session.pools(), StageTitle(f"rl-{version}", f"version {version}")
        )
        for sentence in await asyncio.to_thread(self.watch.new_alarms):  # up to the evaluation before this one
            print(f"rl: ALARM: {sentence}", flush=True)
        return {**figures(found), **self._since_the_first(found), SCORE: overall_score(found)}

    def _since_the_first(self, found: Evaluation) -> Mapping[str, float]:
        """Whether metrics worsened since version 0, whose answers outlive a restart."""
        if (self._first / "evaluation.json").is_file():
            return worsening(Evaluation.load(self._first), found)
        found.save(self._first)
        return {}

    async def _answers(self, prompts: Sequence[Prompt]) -> list[list[str]]:
        return await self.session.answer(prompts, 0, self.session.recipe.evaluation.max_tokens)


def figures(found: Evaluation) -> dict[str, float]:
    """What tables show of each suite, as `development/SUITE/METRIC`; what could not be computed is left out."""
    named = {
        f"development/{suite.name}/{column.metric}": suite.metrics.get(column.metric)
        for suite in found.suites
        for column in find_task(suite.task).columns
    }
    return {name: value for name, value in named.items() if value is not None}
