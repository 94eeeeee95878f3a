"""A model between two stages: their weights interpolated, the share chosen on the development suites."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from dragoman.checkpoints.merging import interpolate
from dragoman.errors import DragomanError
from dragoman.evaluation.frontier import Candidate, candidates_of, chosen, table
from dragoman.evaluation.outcomes import Evaluation
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import Stage, StageMetrics, register_stage
from dragoman.pipeline.suites import DEVELOPMENT, development_hashes, limited, measure_greedy, suites_of
from dragoman.recipes import Recipe
from dragoman.settings import Json, result_values


class MergeRefused(DragomanError):
    """No merged model is as good as both ends; the text is the table."""


class Merge(Stage):
    """Trains nothing: it measures both ends and some models between them."""

    name, title = "merge", "merged with an earlier stage"

    def settings(self, recipe: Recipe) -> None:
        """No optimiser; `Recipe.merge` has its own."""

    def files(self, recipe: Recipe) -> list[str]:
        """None by name: the suites are part of what it depends on."""
        return []

    def depends_on(self, recipe: Recipe) -> Mapping[str, Json]:
        """Also on the rows that it chooses by; those that a builder writes follow from its settings."""
        measured = [recipe.model.context, recipe.evaluation.max_tokens]
        return {
            "merge": result_values(recipe.merge), "data": result_values(recipe.data), "measured": measured,
            "suites": development_hashes(recipe), "rollout": result_values(recipe.rollout),
        }  # fmt: skip

    async def check(self, session: Session) -> None:
        """There must be suites to choose by."""
        suites_of(session, DEVELOPMENT)

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        settings, folder = session.recipe.merge, session.folder
        work, earlier = folder.checkpoints(self.name), folder.model(settings.earlier)
        measured = {
            weight: await self._measured(session, work / f"{weight:g}", earlier, parent, weight)
            for weight in (0.0, *settings.weights, 1.0)
        }
        candidates = candidates_of(measured)
        print(f"merge: {settings.earlier} (0) and {parent.parent.name} (1)\n{table(candidates)}", flush=True)
        weight = self._weight(chosen(candidates), candidates, settings.otherwise == "later")
        interpolate(earlier, parent, weight, folder.model(self.name))
        return {"weight": weight, "earlier": settings.earlier, "candidates": [asdict(c) for c in candidates]}

    async def _measured(self, session: Session, kept: Path, earlier: Path, later: Path, weight: float) -> Evaluation:
        """The evaluation of one model, kept so that a killed stage measures nothing twice."""
        if (kept / "evaluation.json").is_file():
            return Evaluation.load(kept)
        interpolate(earlier, later, weight, kept / "model")
        limit, seed = session.recipe.merge.limit, session.recipe.seed
        suites = [limited(suite, limit, seed) for suite in suites_of(session, DEVELOPMENT)]
        found = await measure_greedy(session, kept / "model", suites, f"{weight:g}")
        found.save(kept)
        shutil.rmtree(kept / "model")
        return found

    @staticmethod
    def _weight(best: Candidate | None, candidates: list[Candidate], keep_later: bool) -> float:
        if best is None and not keep_later:
            raise MergeRefused(
                "every merged model is worse than one of the two beyond chance; try other merge.weights, or "
                f"merge.otherwise=later to go on with the later model:\n{table(candidates)}"
            )
        return 1.0 if best is None else best.weight


register_stage(Merge())
