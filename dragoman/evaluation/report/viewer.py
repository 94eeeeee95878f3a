"""What the report's sample viewer shows, as JSON that is safe inside a page.

One entry per evaluation row with every stage's answer to it, so that a reader sees the same prompt
change from stage to stage; and a selection of RL rollouts. Rows are taken evenly from each suite when there
are many, and long texts are cut: the page stays a few megabytes. Nothing here is HTML: the viewer writes text
nodes only. Spans that rewards marked are painted into the answers; those behind a cut are left out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from dragoman.evaluation.comparison import all_suites, suite_name
from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.evaluation.run_logs import RolloutLine
from rewards.records import RewardResult

ROWS_PER_SUITE = 120
TEXT_LIMIT = 1500
DETAIL_LIMIT = 240
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Named:
    """A key and the words for it."""

    key: str
    name: str


@dataclass(frozen=True)
class ViewedAnswer:
    """A stage's greedy answer."""

    text: str
    right: bool | None
    reward: float | None
    language: str | None
    off: bool
    components: tuple[RewardResult, ...]


@dataclass(frozen=True)
class ViewedRow:
    """An evaluation row with every stage's answer."""

    suite: str
    direction: str | None
    heldout: str
    prompt: str
    reference: str
    answers: Mapping[str, ViewedAnswer]


@dataclass(frozen=True)
class ViewerData:
    """Everything the viewer needs."""

    stages: tuple[Named, ...]
    suites: tuple[Named, ...]
    rows: tuple[ViewedRow, ...]
    rollouts: tuple[RolloutLine, ...]

    @property
    def marked(self) -> bool:
        """Whether any reward marked a piece of an answer."""
        shown = [rollout.components for rollout in self.rollouts]
        shown += [answer.components for row in self.rows for answer in row.answers.values()]
        return any(component.spans for components in shown for component in components)


def safe_json(value: ViewerData | Mapping[str, Sequence[str]]) -> str:
    """JSON that cannot end the script element it stands in, nor open a comment or an entity in it."""
    plain = asdict(value) if isinstance(value, ViewerData) else value
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """A text, or its beginning and a mark."""
    return text if len(text) <= limit else text[:limit] + " […]"


def spread(count: int, limit: int) -> list[int]:
    """At most `limit` positions, evenly spread over `count`."""
    return list(range(count)) if count <= limit else [place * count // limit for place in range(limit)]


def viewer_data(evaluations: Sequence[Evaluation], rollouts: Sequence[RolloutLine]) -> ViewerData:
    """Evaluation rows and rollouts, cut to what a page can hold."""
    return ViewerData(
        stages=tuple(Named(e.stage, e.shown.title) for e in evaluations),
        suites=tuple(Named(s.name, suite_name(s.name)) for s in all_suites(evaluations)),
        rows=tuple(evaluation_rows(evaluations)),
        rollouts=tuple(_rollout(rollout) for rollout in rollouts),
    )


def evaluation_rows(evaluations: Sequence[Evaluation], limit: int = ROWS_PER_SUITE) -> list[ViewedRow]:
    """Rows with every stage's answer; a suite's rows come from the last stage that was evaluated on it."""
    by_stage = {e.stage: {outcome.id: outcome for outcome in e.outcomes} for e in evaluations}
    rows: list[ViewedRow] = []
    for suite in all_suites(evaluations):
        outcomes = next(found for found in (e.outcomes_of(suite.name) for e in reversed(evaluations)) if found)
        rows += [_row(outcomes[place], by_stage) for place in spread(len(outcomes), limit)]
    return rows


def _row(outcome: Outcome, by_stage: Mapping[str, Mapping[str, Outcome]]) -> ViewedRow:
    answers = {stage: _answer(found[outcome.id]) for stage, found in by_stage.items() if outcome.id in found}
    prompt, reference = cut(outcome.prompt), cut(outcome.reference)
    return ViewedRow(outcome.suite, outcome.direction, outcome.heldout, prompt, reference, answers)


def _answer(outcome: Outcome) -> ViewedAnswer:
    return ViewedAnswer(
        text=cut(outcome.response),
        right=outcome.correct,
        reward=_rounded(outcome.reward),
        language=outcome.detected,
        off=outcome.on_target is False,
        components=tuple(map(_component, (*outcome.components, *outcome.marks))),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _component(component: RewardResult) -> RewardResult:
    value, detail = _rounded(component.value), cut(component.detail or "", DETAIL_LIMIT)
    spans = tuple(
        replace(span, end=min(span.end, TEXT_LIMIT), label=cut(span.label, DETAIL_LIMIT))
        for span in component.spans
        if span.start < TEXT_LIMIT
    )
    return RewardResult(component.kind, value, component.status, detail, spans=spans)


def _rollout(rollout: RolloutLine) -> RolloutLine:
    return replace(
        rollout,
        prompt=cut(rollout.prompt),
        response=cut(rollout.response),
        reward=_rounded(rollout.reward),
        advantage=_rounded(rollout.advantage),
        components=tuple(map(_component, rollout.components)),
    )
