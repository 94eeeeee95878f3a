"""A made-up run of 30 suites, one of them from English into 55 languages and one between six, through three stages.

What a report must stay readable with. Figures follow from the names, so a test knows them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from dragoman.evaluation.outcomes import Evaluation, Metrics, MetricValue, Outcome, StageTitle, SuiteResult
from rewards.records import RewardResult, Span

_CODES = (
    "ar bg bn ca cs da de el es et fa fi fil fr gu he hi hr hu id is it ja kn ko lt lv ml mr nl "
    "no pa pl pt pt-BR ro ru sk sl sr sv sw ta te th tr uk ur vi zh zh-Hant zu eu gl ka"
)
LANGUAGES = tuple(_CODES.split())
WIDE = [("en", code) for code in LANGUAGES]
SQUARE = [
    (a, b) for a in ("de", "en", "fr", "ja", "pt-BR", "zh") for b in ("de", "en", "fr", "ja", "pt-BR", "zh") if a != b
]
STAGES = ("sft", "lat", "rl")


def chrf_of(stage: int, place: int) -> float:
    """The chrF of a direction, 30 to 64."""
    return 30.0 + place % 30 + 2.0 * stage


def write_large_run(folder: Path) -> Path:
    """A run's folder with its evaluations."""
    shown = [StageTitle(stage, f"stage {stage}") for stage in STAGES]
    folder.mkdir(parents=True)
    (folder / "lineage.json").write_text(json.dumps({"stages": [asdict(one) for one in shown]}), encoding="utf-8")
    for number, stage in enumerate(STAGES):
        suites = [
            _translation("wide", WIDE, number), _translation("square", SQUARE, number),
            *(_sums(f"sums_{place:02}", number) for place in range(28)),
        ]  # fmt: skip
        outcomes = [*_translated(number), *(o for place in range(28) for o in _solved(f"sums_{place:02}", number))]
        Evaluation(shown[number], tuple(suites), tuple(outcomes)).save(folder / "stages" / stage)
    return folder


def _translation(name: str, directions: list[tuple[str, str]], stage: int) -> SuiteResult:
    parts: dict[str, Metrics] = {
        f"{a}-{b}": {"chrf": chrf_of(stage, place), "off_target": 0.5 / (1 + stage), "n": 10.0}
        for place, (a, b) in enumerate(directions)
    }
    whole: Metrics = {"chrf": 45.0 + stage, "off_target": 0.5 / (1 + stage), "n": 10.0 * len(directions)}
    measured = (MetricValue("gated_chrf", 40.0 + stage, title="gated chrF", low=38.0 + stage, high=42.0 + stage),)
    return SuiteResult(name, "translation", whole, parts, measured=measured if name == "wide" else ())


def _sums(name: str, stage: int) -> SuiteResult:
    return SuiteResult(name, "math", {"accuracy": 0.25 * (stage + 1), "reward_greedy": 0.25 * (stage + 1), "n": 8.0})


def _translated(stage: int) -> list[Outcome]:
    fault = RewardResult("mt_instructions", 0.5, spans=(Span(0, 3, -1.0, "number lost"),))
    return [
        Outcome(
            id=f"{suite}-{a}-{b}", suite=suite, task="translation", heldout="slots", prompt=f"Translate into {b}: one",
            reference=f"uno {b}", response=f"{'eins' if stage == 0 else 'uno'} {b} {stage}", reward=0.5, source="one",
            source_language=a, target_language=b, on_target=True, components=(fault,),
        )
        for suite, directions in (("wide", WIDE), ("square", SQUARE))
        for a, b in directions
    ]  # fmt: skip


def _solved(name: str, stage: int) -> list[Outcome]:
    right = [place < 2 * (stage + 1) for place in range(8)]
    return [
        Outcome(f"{name}-{n}", name, "math", "slots", f"{n} + 1?", str(n + 1), str(n + ok), float(ok), correct=ok)
        for n, ok in enumerate(right)
    ]  # fmt: skip
