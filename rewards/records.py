"""Frozen records that cross the wire between a trainer, the pools and the files.

A row is a plain dict: `{"id", "messages" | "prompt", "response", "rewards": [{"kind", "weight", "args"}],
...columns}`. Scoring it gives a `Score`: the mixed reward (None when it could not be computed, never 0) and
one `RewardResult` for each component. `Score.to_dict` is the format of the files and of the HTTP service; a result
that marks no spans is written without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

Status = Literal["ok", "timeout", "error", "not_applicable"]
STATUSES: tuple[str, ...] = get_args(Status)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Bonus:
    """A component that only adds to a reward already earned: `add` above the threshold, else `otherwise`."""

    above: float
    add: float = 1.0
    otherwise: float = -0.5


@dataclass(frozen=True)
class RewardSpec:
    """One component asked for by a row."""

    kind: str
    weight: float = 1.0
    args: Mapping[str, Any] = field(default_factory=dict)
    gate: bool | None = None
    """True / False overrides what the kind declares; None leaves it."""
    bonus: Bonus | None = None
    """Makes the component a conditional bonus instead of a part of the weighted sum."""
    span_weight: float | None = None
    """What the values of its spans are multiplied by (mixing.py); None: `weight`. With `weight` 0 and this above 0 only
    the spans count, with 0 here only the value."""

    def argument(self, name: str, row: Row, default: Any = None) -> Any:
        """What the component's function gets for a parameter: its own argument, else the row's column."""
        return self.args[name] if name in self.args else row.get(name, default)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RewardSpec:
        """A spec from an entry of the column `rewards` that `validation` has accepted."""
        return RewardSpec(
            kind=str(data["kind"]),
            weight=float(data.get("weight", 1.0)),
            args=dict(data.get("args") or {}),
            gate=data.get("gate"),
            bonus=Bonus(**data["bonus"]) if data.get("bonus") else None,
            span_weight=None if data.get("span_weight") is None else float(data["span_weight"]),
        )


@dataclass(frozen=True)
class Probe:
    """A made-up response to a row, on which its rewards are tried before training (rewards/doors/check.py)."""

    name: str
    """What was tried, for the report"""
    response: str
    must_pass: bool = False
    """Whether it must earn full reward; otherwise it must not"""


class Scorable(Protocol):
    """A prompt whose answers can be scored: its rewards are parsed once, not for every answer."""

    @property
    def specs(self) -> tuple[RewardSpec, ...]:
        """The components of its reward."""

    @property
    def columns(self) -> Row:
        """The row that reward functions read their arguments from."""


@dataclass(frozen=True)
class Span:
    """A piece of an answer and what it is worth: where a fault is, not only that there is one."""

    start: int
    """Its first character, counted in the whole response, a thinking part included (rewards/spans.py helps)"""
    end: int
    """One past its last character"""
    value: float
    """Below 0 for a fault: -1 is a major one (`rewards.spans.SEVERITY`)"""
    label: str = ""
    """What it is, for people"""


@dataclass(frozen=True)
class RewardResult:
    """What one check of one response gave. `value` is a number exactly when `status` is `ok`."""

    kind: str
    value: float | None
    status: Status = "ok"
    detail: str = ""
    latency_s: float = 0.0
    spans: tuple[Span, ...] = ()
    """Pieces of the response that the check marks; they become credit of single tokens (rl/token_credit.py)."""

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON; `spans` only where there are some."""
        plain = {**vars(self), "latency_s": round(self.latency_s, 6), "spans": [vars(span) for span in self.spans]}
        return plain if self.spans else {name: value for name, value in plain.items() if name != "spans"}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RewardResult:
        """The result from its JSON; ValueError for an unknown status."""
        if data["status"] not in STATUSES:
            raise ValueError(f"status {data['status']!r} is none of {', '.join(STATUSES)}")
        spans = tuple(Span(**span) for span in data.get("spans", ()))
        return RewardResult(**{**data, "spans": spans})


@dataclass(frozen=True)
class Score:
    """The reward of one row; None when a component it needs could not be computed."""

    id: str
    reward: float | None
    components: tuple[RewardResult, ...]

    @property
    def failures(self) -> tuple[RewardResult, ...]:
        """Components that timed out or raised."""
        return tuple(c for c in self.components if c.status in ("timeout", "error"))

    def to_dict(self) -> dict[str, Any]:
        """The score as JSON."""
        return {"id": self.id, "reward": self.reward, "components": [c.to_dict() for c in self.components]}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Score:
        """The score from its JSON."""
        parts = tuple(RewardResult.from_dict(c) for c in data["components"])
        return Score(id=str(data["id"]), reward=data["reward"], components=parts)


class Scorer(Protocol):
    """What the stages need of the rewards. `RewardPools` is one; tests bring others."""

    async def score(self, prompt: Scorable, response: str) -> Score:
        """The reward of one answer."""

    async def score_many(self, answers: Sequence[tuple[Scorable, str]]) -> list[Score]:
        """Scores in the order of `answers`, each seen alone."""

    async def score_group(self, prompt: Scorable, responses: Sequence[str]) -> list[Score]:
        """Scores of all answers to one prompt, in order; group kinds see them together."""


def specs_of(row: Row) -> tuple[RewardSpec, ...]:
    """The components a row asks for, in its order."""
    return tuple(RewardSpec.from_dict(item) for item in row["rewards"])


def prompt_text(row: Row) -> str | None:
    """Text of the last user message, or the plain `prompt` column; None when the row has neither."""
    prompt = row.get("prompt")
    if isinstance(prompt, str):
        return prompt
    messages = row.get("messages") or (prompt if isinstance(prompt, (list, tuple)) else row.get("conversations") or ())
    for message in reversed(messages):
        if isinstance(message, Mapping) and (message.get("role") or message.get("from")) in ("user", "human"):
            content = message.get("content", message.get("value"))
            parts = content if isinstance(content, list) else ()
            return "".join(str(part.get("text", "")) for part in parts) if parts else str(content or "")
    return None
