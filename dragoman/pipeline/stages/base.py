"""What a stage is, and the table of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.evaluation.outcomes import StageTitle
from dragoman.learner import OptimiserSettings
from dragoman.pipeline.exposure import Directions, directions_seen
from dragoman.recipes import Recipe, RecipeError
from dragoman.settings import Json, result_values

if TYPE_CHECKING:
    from dragoman.pipeline.session import Session

StageMetrics = dict[str, Json]
"""What a build found out, for its manifest: JSON values by name"""


SENTENCE_TOKENS = 128
"""What a prompt, or an example of unknown length, is taken for in estimates"""


@dataclass(frozen=True)
class Work:
    """Tokens that a stage takes, with every budget full."""

    trained: float = 0.0
    """Forward and backward"""
    written: float = 0.0
    """Sampled answers"""


class Stage(ABC):
    """One step from a parent checkpoint to the next. Holds no state: everything comes from the recipe."""

    name: str
    """In recipes, folders and logs"""
    title: str
    """In words"""
    instructed: bool = True
    """Whether its model has been taught to follow instructions; before that, off-target answers tell nothing"""

    @abstractmethod
    def settings(self, recipe: Recipe) -> OptimiserSettings | None:
        """Its section of a recipe; None for a stage that trains nothing."""

    @abstractmethod
    def files(self, recipe: Recipe) -> list[str]:
        """Data files it reads, relative to the data folder."""

    @abstractmethod
    async def build(self, session: Session, parent: Path) -> StageMetrics:
        """Train from the checkpoint `parent` and save `session.folder.model(name)`."""

    def depends_on(self, recipe: Recipe) -> Mapping[str, Json]:
        """What its result depends on beside seed, parent and data, as JSON values."""
        return {"settings": result_values(self.settings(recipe)), "learner": result_values(recipe.learner)}

    def work(self, recipe: Recipe) -> Work:
        """How much it trains and writes, for estimates of time; nothing where that is not known."""
        return Work()

    def directions(self, recipe: Recipe, data: Path) -> Directions:
        """Translation directions it sees, by form, for reports."""
        return directions_seen(data, self.files(recipe))

    async def check(self, session: Session) -> None:  # noqa: B027 - most stages have nothing to look at
        """Raise a `DragomanError` for whatever can be found wrong before compute is spent on this or earlier stages."""

    @property
    def shown(self) -> StageTitle:
        """The stage as reports name it."""
        return StageTitle(self.name, self.title, self.instructed)


_STAGES: dict[str, Stage] = {}


def register_stage(stage: Stage) -> None:
    """Make a stage known under its name. A recipe that names it needs a section for it under `stage_settings`."""
    _STAGES[stage.name] = stage


def find_stage(name: str) -> Stage:
    """The stage of a name; RecipeError when no extension registered it."""
    if name not in _STAGES:
        raise RecipeError(
            f"stage {name!r} is not registered (known: {', '.join(_STAGES)}); name the module that registers it "
            "under extensions"
        )
    return _STAGES[name]
