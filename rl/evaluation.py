"""Evaluations beside training: how the policy does on the development suites, and which version of it is kept.

    sync of step n -> the weights are put aside (a candidate) -> the engines answer the suites while the learner trains
                   -> the next sync waits for the last answer -> a score: the candidate is kept if it is the best so far

Training does not stop for it, and the figures are of one version. What training optimises is no judge of when to stop:
rewards go on rising while other things fall. Version 0, the parent, is measured too, so with `keep: best` the stage
never ends with a model that scores worse than it began with.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field, model_validator

from dragoman.learner import Trainer
from dragoman.settings import Settings

SCORE = "score"


class PeriodicSettings(Settings):
    """Evaluation while reinforcement learning goes on (docs/reinforcement-learning.md)."""

    every: int | None = Field(None, ge=1)
    """Steps between evaluations on the development suites; empty = none."""
    limit: int = Field(50, ge=1)
    """Rows of each suite at most, drawn once."""
    keep: Literal["last", "best"] = "last"
    """Which version the stage ends with: the last, or that with the best score."""
    patience: int | None = Field(None, ge=1)
    """Stop after so many evaluations in a row without a better score; empty = never."""

    @model_validator(mode="after")
    def _says_how_often(self) -> "PeriodicSettings":
        if self.every is None and (self.keep == "best" or self.patience):
            asked = "keep=best" if self.keep == "best" else f"patience={self.patience}"
            raise ValueError(f"{asked} needs scores to go by; set rl.evaluation.every, to 10 for instance")
        return self


class Evaluator(Protocol):
    """Measures the weights that the engines have."""

    async def __call__(self, version: int) -> Mapping[str, float]:
        """Metrics, `score` among them: the one to choose by, higher is better."""


@dataclass(frozen=True)
class Best:
    """The best version so far."""

    version: int
    score: float
    measured: int
    """The version that was measured last"""
    since: int = 0
    """Evaluations after the best that were no better"""


class PeriodicEvaluation:
    """One stage's evaluations; does nothing without an evaluator.

    `watch` gets each measurement, so that its error ends the run; `report` gets the version and its metrics.
    """

    def __init__(
        self,
        trainer: Trainer,
        evaluator: Evaluator | None,
        settings: PeriodicSettings,
        folder: Path,
        watch: Callable[[Awaitable[None]], None],
        report: Callable[[int, Mapping[str, float]], None],
    ) -> None:
        self.trainer, self.evaluator, self.settings, self.folder = trainer, evaluator, settings, folder
        self.watch, self.report = watch, report
        self.best: Best | None = None
        self._task: asyncio.Task[None] | None = None

    def restore(self, best: Best | None) -> None:
        """Go on from a snapshot; candidates that it does not know are removed."""
        self.best = best
        kept = None if best is None else self.candidate(best.version)
        for found in self.folder.glob("*") if self.folder.is_dir() else ():
            if found != kept:
                shutil.rmtree(found)

    async def begin(self, version: int, *, last: bool = False) -> None:
        """After the sync of a version: measure it if it is time. Returns once its weights are put aside."""
        if self.evaluator is None or not (self._is_due(version) or (last and self.settings.every)):
            return
        if self.best is not None and self.best.measured == version:  # before a resume
            return
        if self.settings.keep == "best":
            await self.trainer.save(self.candidate(version))
        self._task = asyncio.create_task(self._measure(self.evaluator, version))
        self.watch(self._task)

    async def engines_are_free(self) -> None:
        """The engines have answered: they may be given other weights."""
        if self._task is not None:
            await self._task

    @property
    def has_seen_enough(self) -> bool:
        """Whether there was no better score for as long as the recipe waits."""
        patience = self.settings.patience
        return patience is not None and self.best is not None and self.best.since >= patience

    def candidate(self, version: int) -> Path:
        """Where the weights of a version are put aside."""
        return self.folder / f"version-{version:06}"

    def settle(self, target: Path) -> bool:
        """Move the best version to `target` if that is what the recipe keeps; whether it was."""
        if self.settings.keep != "best" or self.best is None:
            return False
        shutil.rmtree(target, ignore_errors=True)
        self.candidate(self.best.version).rename(target)
        shutil.rmtree(self.folder, ignore_errors=True)
        return True

    def _is_due(self, version: int) -> bool:
        return self.settings.every is not None and version % self.settings.every == 0

    async def _measure(self, evaluator: Evaluator, version: int) -> None:
        metrics = await evaluator(version)
        before, score = self.best, metrics[SCORE]
        if before is None or score > before.score:
            self.best = Best(version, score, version)
            worse = None if before is None else before.version
        else:
            self.best = Best(before.version, before.score, version, before.since + 1)
            worse = version
        if worse is not None and self.settings.keep == "best":
            shutil.rmtree(self.candidate(worse), ignore_errors=True)
        self.report(version, {**metrics, "best_version": float(self.best.version)})
