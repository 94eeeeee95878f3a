"""Try a data set's rewards before any compute is spent.

Each row is answered as a perfect, an empty, a copying and a cheating policy would: the gold answer must earn full
reward, the others must not. What did not behave is listed with its row.

A row with a column `expected` is a case: its own response is scored, and `expected` says what it is worth: a number,
`[low, high]`, or null where no reward may be given, because the row is refused or its check is an error.

A row's gold answer is its column `gold_response`, or else what the first of its kinds that knows one says; the
cheats are those of its kinds (`RewardKind.gold`, `RewardKind.cheats`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rewards.errors import RowError
from rewards.records import Probe, Row, Score, prompt_text, specs_of
from rewards.registry import find_kind
from rewards.validation import check_row

FULL_REWARD = 0.99
"""A gold answer must earn at least this."""
UNPAID = FULL_REWARD - 0.1
"""Any other answer must earn this at most."""
ROUNDING = 1e-9
EXPECTED = "expected"


class RowScorer(Protocol):
    """What scores rows with a `response`; `RewardPools` is one."""

    def score_rows(self, rows: Sequence[Row]) -> list[Score]:
        """Scores in the order of the rows."""


@dataclass(frozen=True)
class Misbehaviour:
    """A probe that was paid wrongly, or could not be judged."""

    number: int
    """The row's number, from 1."""
    id: str
    probe: str
    reward: float | None
    wanted: str
    detail: str


@dataclass(frozen=True)
class CheckReport:
    """How many rows and probes were tried, and what was paid wrongly."""

    rows: int
    rows_without_gold: int
    probes: int
    misbehaviours: tuple[Misbehaviour, ...]

    @property
    def passed(self) -> bool:
        """Whether every probe was paid as it must be."""
        return not self.misbehaviours


@dataclass(frozen=True)
class Trial:
    """A response to a row, and the bounds of what it may earn."""

    number: int
    row: Row
    probe: str
    response: str
    bounds: tuple[float, float] | None
    """None: no reward may be given"""

    @property
    def wanted(self) -> str:
        """The bounds in words."""
        if self.bounds is None:
            return "no reward"
        low, high = self.bounds
        if math.inf in (high, -low):
            return f"at least {low:g}" if high == math.inf else f"at most {high:g}"
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"

    def allows(self, reward: float | None) -> bool:
        """Whether the response may earn this."""
        if self.bounds is None or reward is None:
            return self.bounds is reward
        return self.bounds[0] - ROUNDING <= reward <= self.bounds[1] + ROUNDING


def check_rows(pools: RowScorer, rows: Sequence[Row]) -> CheckReport:
    """Score every trial of every row, and report those that were paid wrongly; RowError for a malformed row."""
    refused = {number: reason for number, row in enumerate(rows, start=1) if (reason := _refusal(number, row))}
    trials = [trial for number, row in enumerate(rows, start=1) for trial in _trials(number, row)]
    asked = [trial for trial in trials if trial.number not in refused]
    scores = iter(pools.score_rows([{**trial.row, "response": trial.response} for trial in asked]))
    wrong = []
    for trial in trials:
        score = None if trial.number in refused else next(scores)
        reward = None if score is None else score.reward
        if not trial.allows(reward):
            detail = refused[trial.number] if score is None else _details(score)
            wrong.append(
                Misbehaviour(trial.number, str(trial.row.get("id")), trial.probe, reward, trial.wanted, detail)
            )
    without = sum(1 for row in rows if EXPECTED not in row and gold_response(row) is None)
    return CheckReport(len(rows), without, len(trials), tuple(wrong))


def gold_response(row: Row) -> str | None:
    """A response that must earn full reward; None when the row does not say."""
    if isinstance(row.get("gold_response"), str):
        return str(row["gold_response"])
    kinds = [(spec, find_kind(spec.kind).gold) for spec in specs_of(row)]
    return next((gold for spec, say in kinds if say is not None and (gold := say(spec, row)) is not None), None)


def probes_of(row: Row) -> list[Probe]:
    """The made-up responses to try on a row."""
    probes = [Probe("empty", ""), Probe("unrelated", "I am sorry, I cannot help with that.")]
    gold, prompt = gold_response(row), prompt_text(row)
    if gold is not None:
        probes.append(Probe("gold", gold, must_pass=True))
    if prompt:
        probes.append(Probe("prompt copied", prompt))
    for spec in specs_of(row):
        cheats = find_kind(spec.kind).cheats
        probes += [] if cheats is None else cheats(spec, row)
    return [probe for probe in probes if probe.must_pass or probe.response != gold]


def _trials(number: int, row: Row) -> list[Trial]:
    if EXPECTED in row:
        return [Trial(number, row, "response", row["response"], _expected_bounds(row[EXPECTED]))]
    return [
        Trial(number, row, p.name, p.response, (FULL_REWARD, math.inf) if p.must_pass else (-math.inf, UNPAID))
        for p in probes_of(row)
    ]


def _expected_bounds(expected: Any) -> tuple[float, float] | None:
    if expected is None:
        return None
    low, high = expected if isinstance(expected, (list, tuple)) else (expected, expected)
    return float(low), float(high)


def _refusal(number: int, row: Row) -> str:
    """Why a case is refused when rows load, or an empty text; a row that is no case raises RowError."""
    try:
        check_row(number, row)
    except RowError as error:
        if EXPECTED not in row:
            raise
        return str(error)
    if EXPECTED in row:
        _check_case(f"row {number} (id {row['id']!r})", row)
    return ""


def _check_case(where: str, row: Row) -> None:
    if not isinstance(row.get("response"), str):
        raise RowError(f"{where}: a row with 'expected' needs 'response', the text that is scored")
    try:
        _expected_bounds(row[EXPECTED])
    except (TypeError, ValueError):
        raise RowError(
            f"{where}: expected is {row[EXPECTED]!r:.80}; it must be a number, [low, high] or null (no reward)"
        ) from None


def _details(score: Score) -> str:
    return "; ".join(f"{c.kind} {c.status} {c.value} {c.detail}".strip() for c in score.components)
