"""How long a recipe takes, by arithmetic: operations of the tokens that each stage trains on and writes.

    training    6 x parameters x tokens (8 with activations computed again, 4 with adapters: no gradients of weights)
    writing     2 x parameters x tokens, and every step of the engine reads all weights once

over what the machine does of that: a share of its rate. Budgets are taken as full: every answer at its limit, every
batch filled. Loading, evaluation and waiting come on top. docs/results.md has what runs took.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from dragoman.checkpoints.pretrained import ModelShape
from dragoman.learner import LearnerSettings
from dragoman.pipeline.machine import Machine
from dragoman.pipeline.stages import find_stage
from dragoman.recipes import Recipe


@dataclass(frozen=True)
class Rate:
    """What one processor does: a GPU, or all cores of a node without one."""

    name: str
    training: float
    """Operations a second, in a training step"""
    writing: float
    """Operations a second, in an engine"""
    reading: float
    """Bytes a second that an engine reads of its weights"""


H100 = Rate("H100", 0.4 * 989e12, 0.3 * 989e12, 0.6 * 3.35e12)
"""Data sheet of the SXM module: 989 TFLOP/s in dense bfloat16, 3.35 TB/s; the shares are usual ones, not measured"""


def rate_of(machine: Machine) -> Rate:
    """A node without GPUs: training reaches half of its matrix products, writing a third (docs/results.md)."""
    return Rate("node", 0.5 * machine.operations_per_s, 0.33 * machine.operations_per_s, 2e10)


@dataclass(frozen=True)
class Hours:
    """Of one stage, in hours of one processor, at most."""

    stage: str
    training: float
    writing: float


def hours_of(recipe: Recipe, shape: ModelShape, training: Rate, writing: Rate) -> list[Hours]:
    """Each stage of a recipe; one that says nothing of its work is left out."""
    found = []
    for name in recipe.stages:
        work = find_stage(name).work(recipe)
        trained = work.trained * operations_per_token(shape, recipe.learner) / training.training
        computed = work.written * 2 * shape.parameters / writing.writing
        read = work.written / recipe.rollout.max_sequences * shape.parameters * 2 / writing.reading
        if work.trained or work.written:
            found.append(Hours(name, trained / 3600, max(computed, read) / 3600))
    return found


def operations_per_token(shape: ModelShape, learner: LearnerSettings) -> float:
    """Of a training step."""
    passes = 4 if learner.adapter.kind != "none" else 6
    return shape.parameters * (passes + (2 if learner.recompute_activations else 0))


def hours_table(hours: Sequence[Hours], unit: str) -> Table:
    """Stages, and all of them together."""
    table = Table(title=f"{unit}, at most, by arithmetic; evaluation comes on top", title_justify="left")
    for column in ("stage", "training", "writing"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    whole = Hours("all", sum(h.training for h in hours), sum(h.writing for h in hours))
    for one in (*hours, whole):
        table.add_row(one.stage, f"{one.training:.2f}", f"{one.writing:.2f}")
    return table
