"""One held-out prompt that shows what the stages changed.

Among translations that the last stage gets right, the one that went wrong in the most telling way before: off
target after fine-tuning, and answered differently by as many stages as possible. The choice depends on the
outcomes alone; the report says that it was picked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.evaluation.viewer_data import cut

UNTUNED = ("base", "cpt")
"""Stages before any instruction: off-target answers there tell nothing."""


def _telling(stages: Sequence[str], answers: Sequence[Outcome]) -> tuple[bool, int, int]:
    """How much a row shows: off target after tuning, off target at all, and different answers."""
    off = [stage for stage, answer in zip(stages, answers, strict=True) if answer.on_target is False]
    different = len({answer.response for answer in answers})
    return any(stage not in UNTUNED for stage in off), different, len(off)


def _mark(answer: Outcome) -> str:
    if answer.on_target is False:
        return f"✗ in {answer.detected}" if answer.detected != "und" else "✗ no words"
    return "✓" if answer.correct else "✗"


def _answer(stage: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "stage": stage,
        "text": cut(outcome.response, 300),
        "mark": _mark(outcome),
        "verdict": "better" if outcome.correct else "worse",
    }


def showcase(evaluations: Sequence[Evaluation]) -> dict[str, Any] | None:
    """The row to show with every stage's answer, or None when no row tells anything."""
    if len(evaluations) < 2:
        return None
    by_id = [{outcome.id: outcome for outcome in evaluation.outcomes} for evaluation in evaluations]
    rows = [
        [found[outcome.id] for found in by_id]
        for outcome in evaluations[-1].outcomes
        if outcome.task == "translation" and outcome.correct and all(outcome.id in found for found in by_id)
    ]
    stages = [evaluation.stage for evaluation in evaluations]
    best = max(rows, key=lambda answers: _telling(stages, answers), default=None)
    if best is None or len({answer.response for answer in best}) == 1:
        return None
    return {
        "direction": (best[-1].direction or "").replace("-", " → "),
        "prompt": cut(best[-1].prompt, 600),
        "reference": best[-1].reference,
        "answers": [_answer(stage, outcome) for stage, outcome in zip(stages, best, strict=True)],
    }
