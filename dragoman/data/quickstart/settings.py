"""What a recipe may set of the quickstart: how many rows each file has."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt

from dragoman.settings import Settings


class TaskCounts(Settings):
    """How many rows of each task a file has."""

    translation: NonNegativeInt = 0
    math: NonNegativeInt = 0
    code: NonNegativeInt = 0
    constraints: NonNegativeInt = 0

    def of(self, task: str) -> int:
        """Rows of one task."""
        return int(getattr(self, task))


def _counts(translation: int, math: int, code: int, constraints: int) -> TaskCounts:
    return TaskCounts(translation=translation, math=math, code=code, constraints=constraints)


class QuickstartSizes(Settings):
    """The defaults suit a model of a few million parameters."""

    mono: NonNegativeInt = 6000
    parallel: NonNegativeInt = 14000
    instructions: TaskCounts = _counts(400, 400, 300, 400)
    sums: NonNegativeInt = 300
    sft: TaskCounts = _counts(4200, 2000, 1300, 1800)
    lat: NonNegativeInt = 2400
    preference: TaskCounts = _counts(360, 200, 150, 200)
    rl: TaskCounts = _counts(600, 400, 300, 400)
    development_per_direction: NonNegativeInt = 20
    development_general: TaskCounts = _counts(0, 150, 50, 150)
    eval_per_direction: NonNegativeInt = 30
    eval_general: TaskCounts = _counts(0, 150, 120, 150)
    flawed_share: float = Field(0.2, ge=0, le=1)
    """Share of the programs, and of the sums of several steps, in sft.jsonl that are wrong (flaws.py)"""
    heldout_template_share: float = Field(0.2, ge=0, le=1)
    """Share of the evaluation rows whose template (not only its filling) training never saw"""
