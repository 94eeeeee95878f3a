"""`metrics.jsonl` and `samples.jsonl` as they stand, also of a run that is still going on.

A line cut short by a kill, or still being written, is skipped and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.files import whole_lines
from rewards.records import RewardResult, Span


@dataclass(frozen=True)
class StepLine:
    """The metrics of one step of a stage."""

    step: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class RolloutLine:
    """One answer that RL sampled; what a log does not say is empty."""

    task: str = ""
    prompt: str = ""
    response: str = ""
    step: float | None = None
    version: float | None = None
    reward: float | None = None
    advantage: float | None = None
    components: tuple[RewardResult, ...] = ()
    id: str = ""
    """Of the prompt"""
    direction: str = ""
    """`de-fr`, where a translation was asked for"""
    tokens: float = 0
    """Of the answer"""
    source: str = ""
    """Text that was to be translated; logs before 2026-12 lack it"""
    filtered: bool = False
    """Of a group that taught nothing and was replaced"""


def read_metrics(path: Path, names: Sequence[str]) -> tuple[Mapping[str, Sequence[StepLine]], int]:
    """Lines by stage: known stages in their order, then any others."""
    lines, torn = whole_lines(path)
    stages: dict[str, list[StepLine]] = {name: [] for name in names}
    for place, line in enumerate(lines):
        step = _number(line.pop("step", place))
        values = {name: number for name, value in line.items() if (number := _number(value)) is not None}
        values.pop("time", None)
        if step is not None:
            stages.setdefault(str(line.get("stage", "")), []).append(StepLine(step, values))
    return {stage: found for stage, found in stages.items() if found}, torn


def read_rollouts(path: Path, limit: int | None = None) -> tuple[list[RolloutLine], int, int]:
    """Rollouts (at most about `limit`, spread over the file), how many there are, how many lines were cut short."""
    lines, torn = whole_lines(path)
    stride = max(1, -(-len(lines) // limit)) if limit else 1
    return [_rollout(line) for line in lines[::stride]], len(lines), torn


def _rollout(line: Mapping[str, Any]) -> RolloutLine:
    step, version, reward, advantage = (_number(line.get(k)) for k in ("step", "version", "reward", "advantage"))
    task, prompt, response = (str(line.get(name, "")) for name in ("task", "prompt", "response"))
    components = tuple(_component(given) for given in line.get("components") or ())
    return RolloutLine(
        task, prompt, response, step, version, reward, advantage, components,
        id=str(line.get("id", "")),
        direction=str(line.get("direction") or ""),
        source=str(line.get("source") or ""),
        tokens=_number(line.get("tokens")) or 0,
        filtered=line.get("filtered") is True,
    )  # fmt: skip


def _component(given: Mapping[str, Any]) -> RewardResult:
    """As it was logged, whatever its status says."""
    kind, status, detail = (str(given.get(name, "")) for name in ("kind", "status", "detail"))
    spans = tuple(span for each in given.get("spans") or () if (span := _span(each)))
    return RewardResult(kind, _number(given.get("value")), status, detail, spans=spans)  # type: ignore[arg-type]


def _span(given: Mapping[str, Any]) -> Span | None:
    start, end, value = (_number(given.get(name)) for name in ("start", "end", "value"))
    if start is None or end is None or value is None or not 0 <= start < end:
        return None
    return Span(int(start), int(end), value, str(given.get("label", "")))


def _number(value: object) -> float | None:
    """A finite number, or None."""
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    number = float(value) if right else float("nan")  # type: ignore[arg-type]
    return number if number - number == 0 else None
