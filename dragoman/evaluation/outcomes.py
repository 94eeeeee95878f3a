"""What an evaluation found: one outcome per row, metrics per suite, and their files.

`evaluation.json` holds the metrics, `evaluation.jsonl` one outcome a line; both are written aside and
renamed. Ratios and rewards are fractions; chrF is on sacrebleu's scale of 0 to 100. A metric that cannot be
computed (no row of that kind, every reward failed) is None, never 0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class Sampled:
    """One sampled response (temperature 1) and its reward."""

    response: str
    reward: float | None
    """None: it could not be computed."""


@dataclass(frozen=True)
class Outcome:
    """What the model answered to one row and how that was judged."""

    id: str
    suite: str
    task: str
    heldout: str
    prompt: str
    reference: str
    response: str
    """The greedy response."""
    reward: float | None
    """The greedy response's reward; None when it could not be computed."""
    correct: bool | None
    """Full marks: exact translation, right answer, all cases passed, all constraints kept."""
    share: float | None = None
    """Partial marks of the task's own check (share of constraints or cases), where it gives them."""
    source_language: str | None = None
    target_language: str | None = None
    on_target: bool | None = None
    """Whether a translation is in the target language; None when the identifier does not know it."""
    detected: str | None = None
    """Language identified in a translation."""
    components: tuple[Mapping[str, Any], ...] = ()
    """Every reward component of the greedy response: kind, value, status, detail, latency_s."""
    samples: tuple[Sampled, ...] = ()
    cluster: str = ""
    """Rows of one cluster ask for the same thing and are no independent evidence; empty: the row is one of its own."""
    sample_errors: int = 0
    """Sampled responses whose reward could not be computed."""

    @property
    def direction(self) -> str | None:
        """ "de-fr", or None for a row that is no translation."""
        return f"{self.source_language}-{self.target_language}" if self.target_language else None

    @property
    def sampled_reward(self) -> float | None:
        """Mean reward of the sampled responses."""
        known = [sample.reward for sample in self.samples if sample.reward is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True)
class SuiteResult:
    """Metrics of a suite, and of its parts."""

    name: str
    task: str
    metrics: Metrics
    by_direction: Mapping[str, Metrics] = field(default_factory=dict)
    by_heldout: Mapping[str, Metrics] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """One stage's evaluation over all suites."""

    stage: str
    suites: tuple[SuiteResult, ...]
    outcomes: tuple[Outcome, ...] = ()

    def suite(self, name: str) -> SuiteResult | None:
        """The result of a suite, or None when it was not evaluated."""
        return next((result for result in self.suites if result.name == name), None)

    def outcomes_of(self, name: str) -> list[Outcome]:
        """Outcomes of a suite, in row order."""
        return [outcome for outcome in self.outcomes if outcome.suite == name]

    def save(self, folder: Path) -> None:
        """Write evaluation.jsonl, then evaluation.json: the second is there only when both are whole."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(asdict(outcome), ensure_ascii=False) for outcome in self.outcomes)
        _write_atomically(folder / "evaluation.jsonl", lines)
        summary = {"stage": self.stage, "suites": [asdict(suite) for suite in self.suites]}
        _write_atomically(folder / "evaluation.json", [json.dumps(summary, ensure_ascii=False, indent=1)])

    @staticmethod
    def load(folder: Path) -> Evaluation:
        """Read what `save` wrote; raises FileNotFoundError naming the file that is missing."""
        summary = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        suites = tuple(SuiteResult(**suite) for suite in summary["suites"])
        lines = (folder / "evaluation.jsonl").read_text(encoding="utf-8").strip("\n").split("\n")
        outcomes = tuple(_read_outcome(json.loads(line)) for line in lines if line)
        return Evaluation(summary["stage"], suites, outcomes)


def _read_outcome(data: dict[str, Any]) -> Outcome:
    samples = tuple(Sampled(**sample) for sample in data.pop("samples"))
    return Outcome(**{**data, "components": tuple(data["components"]), "samples": samples})


def _write_atomically(path: Path, lines: Iterable[str]) -> None:
    aside = path.with_name(f".{path.name}.partial")
    with aside.open("w", encoding="utf-8") as stream:
        for line in lines:
            stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, path)
