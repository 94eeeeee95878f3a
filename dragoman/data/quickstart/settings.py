"""What a recipe may set of the quickstart: how many rows each file has, and which directions each stage may see."""

from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeInt

from dragoman.data.quickstart.directions import ALL, Direction, directions
from dragoman.settings import Settings
from dragoman.text.wordings import Position


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


def _known(choice: str | tuple[str, ...]) -> str | tuple[str, ...]:
    directions(choice)
    return choice


DirectionChoice = Annotated[str | tuple[str, ...], AfterValidator(_known)]
"""A set's name or a list of directions (`dragoman.data.quickstart.directions`)"""


class StageDirections(Settings):
    """Translation directions that each stage may see together with a right answer."""

    cpt: DirectionChoice = "seen"
    """Of the parallel text"""
    sft: DirectionChoice = "supervised"
    """Of the instructions, those in continued pretraining too"""
    lat: DirectionChoice = "supervised"
    preference: DirectionChoice = "supervised"
    rl: DirectionChoice = "supervised"

    def suites(self) -> dict[str, tuple[Direction, ...]]:
        """Translation suites: what was asked for, what was only read as parallel text, what no stage saw."""
        asked = {pair for stage in (self.sft, self.lat, self.preference, self.rl) for pair in directions(stage)}
        read = set(directions(self.cpt)) - asked
        dealt = {
            "translation_supervised": asked,
            "translation_parallel_only": read,
            "translation_zero_shot": set(ALL) - asked - read,
        }
        return {name: tuple(pair for pair in ALL if pair in pairs) for name, pairs in dealt.items() if pairs}


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
    development_general: TaskCounts = _counts(0, 100, 50, 150)
    eval_per_direction: NonNegativeInt = 30
    eval_general: TaskCounts = _counts(0, 150, 120, 150)
    flawed_share: float = Field(0.2, ge=0, le=1)
    """Share of the programs, and of the sums of several steps, in sft.jsonl that are wrong (flaws.py)"""
    directions: StageDirections = StageDirections()
    instruction: Position = "before"
    """Where the instruction of a translation stands, in training and in the suites"""
    heldout_template_share: float = Field(0.2, ge=0, le=1)
    """Share of the evaluation rows whose template (not only its filling) training never saw"""
