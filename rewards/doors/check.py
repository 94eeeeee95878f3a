"""Try a data set's rewards before any compute is spent.

Each row is answered as a perfect, an empty, a copying and a cheating policy would: the gold answer must earn full
reward, the others must not. What did not behave is listed with its row.

A row's gold answer is its column `gold_response`, or else what the first of its kinds that knows one says; the
cheats are those of its kinds (`RewardKind.gold`, `RewardKind.cheats`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rewards.records import Probe, Row, Score, prompt_text, specs_of
from rewards.registry import find_kind

if TYPE_CHECKING:
    from rewards.execution.pools import RewardPools

FULL_REWARD = 0.99
"""A gold answer must earn at least this."""
MARGIN = 0.1
"""Any other answer must earn this much less than full reward."""


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


def check_rows(pools: RewardPools, rows: Sequence[Row]) -> CheckReport:
    """Score every probe of every row, and report those that were paid wrongly."""
    tried = [(number, row, probe) for number, row in enumerate(rows, start=1) for probe in probes_of(row)]
    scores = pools.score_rows([{**row, "response": probe.response} for _, row, probe in tried])
    wrong = [
        Misbehaviour(number, str(row.get("id")), probe.name, score.reward, _wanted(probe), _details(score))
        for (number, row, probe), score in zip(tried, scores, strict=True)
        if not _behaves(probe, score.reward)
    ]
    without = sum(1 for row in rows if gold_response(row) is None)
    return CheckReport(len(rows), without, len(tried), tuple(wrong))


def gold_response(row: Row) -> str | None:
    """A response that must earn full reward; None when the row does not say."""
    if isinstance(row.get("gold_response"), str):
        return str(row["gold_response"])
    kinds = [(spec, find_kind(spec.kind).gold) for spec in specs_of(row)]
    return next((gold for spec, say in kinds if say is not None and (gold := say(spec, row)) is not None), None)


def probes_of(row: Row) -> list[Probe]:
    """The responses to try on a row."""
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


def _behaves(probe: Probe, reward: float | None) -> bool:
    if reward is None:
        return False
    return reward >= FULL_REWARD if probe.must_pass else reward <= FULL_REWARD - MARGIN


def _wanted(probe: Probe) -> str:
    return f"at least {FULL_REWARD}" if probe.must_pass else f"at most {FULL_REWARD - MARGIN:.2f}"


def _details(score: Score) -> str:
    return "; ".join(f"{c.kind} {c.status} {c.value} {c.detail}".strip() for c in score.components)
