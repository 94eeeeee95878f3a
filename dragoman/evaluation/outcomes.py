"""What an evaluation found: one outcome per row, metrics per suite, and their files.

`evaluation.json` holds the metrics, `evaluation.jsonl` one outcome a line. Ratios and rewards are fractions; chrF is on
sacrebleu's scale of 0 to 100. A metric that cannot be computed (no
row of that kind, every reward failed) is None, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from dragoman.files import read_lines, write_json, write_lines
from rewards.records import RewardResult

Metrics = dict[str, float | None]


def mean(values: Iterable[float | bool | None]) -> float | None:
    """Mean of the known values; None when there is none."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a task says about a greedy answer."""

    correct: bool | None = None
    """Full marks: exact translation, right answer, all cases passed, all constraints kept."""
    share: float | None = None
    """Partial marks of the task's own check (share of constraints or cases), where it gives them."""
    source_language: str | None = None
    target_language: str | None = None
    on_target: bool | None = None
    """Whether a translation is in the target language; None when the identifier does not know it."""
    detected: str | None = None
    """Language identified in a translation."""
    on_target_second: bool | None = None
    """The same by an identifier that no stage optimises."""
    draft: str = ""
    """The translation that was to be mended."""
    counts: tuple[float, ...] = ()
    """What the task counts in an answer, of which its corpus metrics are made (`tasks.annotated`)."""


@dataclass(frozen=True)
class Sampled:
    """One sampled response (temperature 1) and its reward."""

    response: str
    reward: float | None
    """None: it could not be computed."""
    correct: bool | None = None
    """Full marks, where the task has a verifier."""


@dataclass(frozen=True)
class Outcome(Judgement):
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
    measures: Mapping[str, float | None] = field(default_factory=dict)
    """Of the greedy response by reward kinds that are no part of its reward; None when one could not be computed."""
    components: tuple[RewardResult, ...] = ()
    """Every reward component of the greedy response."""
    marks: tuple[RewardResult, ...] = ()
    """Of the measures those that say where in the response: error spans of neural metrics and the like."""
    reference_bits: float | None = None
    """-log2 p of the reference as a text of its own; None where it was not asked for or is too long."""
    samples: tuple[Sampled, ...] = ()
    cluster: str = ""
    """Rows of one cluster ask for the same thing and are no independent evidence; empty: the row is one of its own."""
    sample_errors: int = 0
    """Sampled responses whose reward could not be computed."""
    source: str = ""
    """The text that was to be translated."""
    more_references: tuple[str, ...] = ()
    """Further right answers, beside `reference`."""
    finish_reason: str = ""
    """How the answer ended: `stop`, `length`, `too_long` for a prompt without room for one; empty: not known."""

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference that has a text."""
        return tuple(text for text in (self.reference, *self.more_references) if text)

    @property
    def direction(self) -> str | None:
        """ "de-fr", or None for a row that is no translation."""
        return f"{self.source_language}-{self.target_language}" if self.target_language else None

    @property
    def sampled_reward(self) -> float | None:
        """Mean reward of the sampled responses."""
        return mean(sample.reward for sample in self.samples)


@dataclass(frozen=True)
class MetricValue:
    """A corpus metric (`evaluation.corpus_metrics`) of a suite."""

    name: str
    value: float | None
    """None: it could not be computed, see `reason`."""
    reason: str = ""
    signature: str = ""
    """What the figure depends on, in sacrebleu's form where it is sacrebleu's."""
    higher_is_better: bool = True
    unit: Literal["score", "percent", "reward"] = "score"
    """score: 0 to 100; percent: a fraction shown as a percentage; reward: two decimals."""
    title: str = ""
    """Its name in tables"""
    low: float | None = None
    """95 % interval over the choice of rows, with `high`; None where it was not computed"""
    high: float | None = None


def adequacy_of(outcome: Outcome) -> float | None:
    """Nearness of meaning of the greedy answer, 0 to 1; 0 when that is off target."""
    return 0.0 if outcome.on_target is False else outcome.measures.get("adequacy")


@dataclass(frozen=True)
class SuiteResult:
    """Metrics of a suite, and of its parts."""

    name: str
    task: str
    metrics: Metrics
    by_direction: Mapping[str, Metrics] = field(default_factory=dict)
    by_heldout: Mapping[str, Metrics] = field(default_factory=dict)
    measured: tuple[MetricValue, ...] = ()
    """Corpus metrics that the suite asked for"""
    measured_by_direction: Mapping[str, tuple[MetricValue, ...]] = field(default_factory=dict)
    """The same of each direction, where there are several"""


@dataclass(frozen=True)
class StageTitle:
    """A stage as people see it."""

    name: str
    title: str
    instructed: bool = True
    """Whether it, or a stage before it, taught to follow instructions"""
    optimised: tuple[str, ...] = ()
    """Reward kinds that it, or a stage before it, optimised"""


@dataclass(frozen=True)
class Evaluation:
    """One stage's evaluation over all suites."""

    shown: StageTitle
    suites: tuple[SuiteResult, ...]
    outcomes: tuple[Outcome, ...] = ()

    @property
    def stage(self) -> str:
        """The stage's name."""
        return self.shown.name

    def suite(self, name: str) -> SuiteResult | None:
        """The result of a suite, or None when it was not evaluated."""
        return next((result for result in self.suites if result.name == name), None)

    def outcomes_of(self, name: str) -> list[Outcome]:
        """Outcomes of a suite, in row order."""
        return [outcome for outcome in self.outcomes if outcome.suite == name]

    def save(self, folder: Path) -> None:
        """Write evaluation.jsonl, then evaluation.json: the second is there only when both are whole."""
        write_lines(folder / "evaluation.jsonl", map(_line, self.outcomes))
        summary = {"stage": self.stage, "shown": asdict(self.shown), "suites": [asdict(suite) for suite in self.suites]}
        write_json(folder / "evaluation.json", summary)

    @staticmethod
    def load(folder: Path) -> Evaluation:
        """Read what `save` wrote; raises FileNotFoundError naming the file that is missing."""
        summary = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        outcomes = [line for _, line in read_lines(folder / "evaluation.jsonl")]
        return TypeAdapter(Evaluation).validate_python({**summary, "outcomes": outcomes})


def _line(outcome: Outcome) -> dict[str, object]:
    told = {
        name: [one.to_dict() for one in found]
        for name, found in (("components", outcome.components), ("marks", outcome.marks))
    }
    return {**asdict(outcome), **told}
