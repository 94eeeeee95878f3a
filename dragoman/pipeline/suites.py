"""The suites of a run, and a model measured on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from dragoman.data.rows import Prompt
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.outcomes import Evaluation, StageTitle
from dragoman.evaluation.suites import Suite, load_suites
from dragoman.pipeline.fingerprints import file_hash
from dragoman.pipeline.session import Session
from dragoman.recipes import Recipe
from dragoman.settings import Json

DEVELOPMENT = "development"
"""The split that settings and versions are chosen by: never the suites that a run is reported on"""


def development_hashes(recipe: Recipe) -> Mapping[str, Json]:
    """Of the rows to choose by where they are the user's own; those that a builder writes follow from its settings."""
    folder = Path(recipe.data.path) / DEVELOPMENT if recipe.data.path else None
    return {file.name: file_hash(file) for file in sorted(folder.glob("*.jsonl"))} if folder else {}


def suites_of(session: Session, split: str | None = None) -> list[Suite]:
    """The suites of a split (by default the recipe's), without rows that leave no room for an answer where the recipe
    leaves them out."""
    settings = session.recipe.evaluation
    longest = session.recipe.model.context - settings.max_tokens
    loaded = load_suites(session.data / (split or settings.split))
    fit = [(suite, session.that_fit(suite.prompts, longest, suite.name, "evaluation.max_tokens")) for suite in loaded]
    return [Suite(suite.name, tuple(encoded.prompt for encoded in found)) for suite, found in fit]


def limited(suite: Suite, limit: int | None, seed: int) -> Suite:
    """At most `limit` prompts of a suite, drawn at random: its first ones would be of one kind."""
    if limit is None or len(suite.prompts) <= limit:
        return suite
    chosen = Random(f"{seed}/limit/{suite.name}").sample(range(len(suite.prompts)), limit)
    return Suite(suite.name, tuple(suite.prompts[place] for place in sorted(chosen)))


async def measure_greedy(session: Session, model: Path, suites: Sequence[Suite], name: str) -> Evaluation:
    """The greedy answers of a model to some suites, judged."""
    await session.serve(model)
    max_tokens = session.recipe.evaluation.max_tokens

    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        return await session.answer(prompts, 0, max_tokens)

    return await evaluate(suites, generate, session.pools(), StageTitle(name, name))
