"""What the report's sample viewer shows, as JSON that is safe inside a page.

One entry per evaluation row with every stage's answer to it, so that a reader sees the same prompt
change from stage to stage; and a selection of RL rollouts. Rows are taken evenly from each suite when there
are many, and long texts are cut: the page stays a few megabytes. Nothing here is HTML: the viewer writes text
nodes only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.evaluation.comparison import all_suites, stage_name, suite_name
from dragoman.evaluation.outcomes import Evaluation, Outcome

ROWS_PER_SUITE = 120
TEXT_LIMIT = 1500
DETAIL_LIMIT = 240
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def safe_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, nor open a comment or an entity in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """A text, or its beginning and a mark."""
    return text if len(text) <= limit else text[:limit] + " […]"


def spread(count: int, limit: int) -> list[int]:
    """At most `limit` positions, evenly spread over `count`."""
    return list(range(count)) if count <= limit else [place * count // limit for place in range(limit)]


def _number(value: Any) -> float | None:
    """A finite number to four places, or None."""
    finite = isinstance(value, (int, float)) and value == value and abs(value) != float("inf")
    return round(float(value), 4) if finite else None


def _component(component: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": str(component.get("kind", "")),
        "value": _number(component.get("value")),
        "status": str(component.get("status", "")),
        "detail": cut(str(component.get("detail") or ""), DETAIL_LIMIT),
    }


def _answer(outcome: Outcome) -> dict[str, Any]:
    return {
        "text": cut(outcome.response),
        "right": outcome.correct,
        "reward": _number(outcome.reward),
        "language": outcome.detected,
        "off": outcome.on_target is False,
        "components": [_component(component) for component in outcome.components],
    }


def _entry(outcome: Outcome, evaluations: Sequence[Mapping[str, Outcome]], stages: list[str]) -> dict[str, Any]:
    answers = {
        stage: _answer(found[outcome.id])
        for stage, found in zip(stages, evaluations, strict=True)
        if outcome.id in found
    }
    return {
        "suite": outcome.suite,
        "direction": outcome.direction,
        "heldout": outcome.heldout,
        "prompt": cut(outcome.prompt),
        "reference": cut(outcome.reference),
        "answers": answers,
    }


def evaluation_entries(evaluations: Sequence[Evaluation], limit: int = ROWS_PER_SUITE) -> list[dict[str, Any]]:
    """Rows with every stage's answer; a suite's rows come from the last stage that was evaluated on it."""
    stages = [evaluation.stage for evaluation in evaluations]
    by_id = [{outcome.id: outcome for outcome in evaluation.outcomes} for evaluation in evaluations]
    entries = []
    for suite in all_suites(evaluations):
        rows = next(rows for rows in (e.outcomes_of(suite.name) for e in reversed(evaluations)) if rows)
        entries += [_entry(rows[place], by_id, stages) for place in spread(len(rows), limit)]
    return entries


def rollout_entry(rollout: Mapping[str, Any]) -> dict[str, Any]:
    """One RL rollout."""
    return {
        "step": _number(rollout.get("step")),
        "version": _number(rollout.get("version")),
        "task": str(rollout.get("task", "")),
        "prompt": cut(str(rollout.get("prompt", ""))),
        "text": cut(str(rollout.get("response", ""))),
        "reward": _number(rollout.get("reward")),
        "advantage": _number(rollout.get("advantage")),
        "components": [_component(component) for component in rollout.get("components") or ()],
    }


def viewer_data(evaluations: Sequence[Evaluation], rollouts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything the viewer needs."""
    return {
        "stages": [{"key": e.stage, "name": stage_name(e.stage)} for e in evaluations],
        "suites": [{"key": s.name, "name": suite_name(s.name)} for s in all_suites(evaluations)],
        "rows": evaluation_entries(evaluations),
        "rollouts": [rollout_entry(rollout) for rollout in rollouts],
    }
