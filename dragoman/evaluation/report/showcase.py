"""One held-out prompt that shows what the stages changed.

Among translations that the last stage gets right, the one that went wrong in the most telling way before: off
target after fine-tuning, and answered differently by as many stages as possible. The choice depends on the
outcomes alone; the report says that it was picked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.evaluation.report.viewer import cut
from dragoman.evaluation.tasks import find_task


@dataclass(frozen=True)
class ShownAnswer:
    """A stage's answer and what is to be said of it."""

    stage: str
    text: str
    mark: str
    verdict: str


@dataclass(frozen=True)
class Showcase:
    """A prompt with every stage's answer."""

    direction: str
    prompt: str
    reference: str
    answers: tuple[ShownAnswer, ...]


def showcase(evaluations: Sequence[Evaluation]) -> Showcase | None:
    """The row to show with every stage's answer, or None when no row tells anything."""
    if len(evaluations) < 2:
        return None
    by_id = [{outcome.id: outcome for outcome in evaluation.outcomes} for evaluation in evaluations]
    rows = [
        [found[outcome.id] for found in by_id]
        for outcome in evaluations[-1].outcomes
        if find_task(outcome.task).translates and outcome.correct and all(outcome.id in found for found in by_id)
    ]
    best = max(rows, key=lambda answers: _telling(evaluations, answers), default=None)
    if best is None or len({answer.response for answer in best}) == 1:
        return None
    shown = tuple(_shown(e.stage, outcome) for e, outcome in zip(evaluations, best, strict=True))
    direction = (best[-1].direction or "").replace("-", " → ")
    return Showcase(direction, cut(best[-1].prompt, 600), best[-1].reference, shown)


def _telling(evaluations: Sequence[Evaluation], answers: Sequence[Outcome]) -> tuple[bool, int, int]:
    """How much a row shows: off target after tuning, different answers, and off target at all.

    Off-target answers before any instruction was learned tell nothing.
    """
    off = [e for e, answer in zip(evaluations, answers, strict=True) if answer.on_target is False]
    different = len({answer.response for answer in answers})
    return any(e.shown.instructed for e in off), different, len(off)


def _mark(answer: Outcome) -> str:
    if answer.on_target is False:
        return f"✗ in {answer.detected}" if answer.detected != "und" else "✗ no words"
    return "✓" if answer.correct else "✗"


def _shown(stage: str, outcome: Outcome) -> ShownAnswer:
    return ShownAnswer(stage, cut(outcome.response, 300), _mark(outcome), "better" if outcome.correct else "worse")
