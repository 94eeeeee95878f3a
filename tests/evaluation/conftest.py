"""A made-up run: real evaluation prompts, answered by stand-ins of known skill.

A stand-in answers rightly, wrongly or in English with given probabilities; rewards are given by an
independent, simple rule (sentence chrF by sacrebleu for translation, equality with the reference elsewhere).
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics import CHRF

from dragoman.data.quickstart.build import build
from dragoman.data.quickstart.settings import QuickstartSizes, TaskCounts
from dragoman.data.rows import Prompt
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.suites import Suite, load_suites
from dragoman.pipeline.stages import find_stage
from rewards.records import RewardResult, Score

ENGLISH = "The train leaves on Monday from platform two."
SMALL = QuickstartSizes(
    mono=4,
    parallel=12,
    instructions=TaskCounts(translation=1, math=1, code=1, constraints=1),
    sft=TaskCounts(translation=6, math=2, code=2, constraints=2),
    lat=6,
    preference=TaskCounts(translation=12, math=2, code=2, constraints=2),
    rl=TaskCounts(translation=12, math=2, code=2, constraints=2),
    development_per_direction=1,
    development_general=TaskCounts(translation=0, math=2, code=2, constraints=2),
    eval_per_direction=5,
    eval_general=TaskCounts(translation=0, math=20, code=20, constraints=20),
)
STAGES: dict[str, tuple[float, float, float]] = {
    "base": (0.0, 0.0, 0.9),
    "cpt": (0.15, 0.05, 0.6),
    "sft": (0.6, 0.45, 0.45),
    "lat": (0.66, 0.45, 0.04),
    "preference": (0.72, 0.5, 0.03),
    "rl": (0.85, 0.72, 0.01),
}
"""Stage -> chance of a right translation, of a right answer elsewhere, of English in zero-shot directions."""


class Grader:
    """A simple independent reward: sentence chrF for translation, equality with the reference elsewhere."""

    async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
        return [self._grade(prompt, answer) for prompt, answer in answers]

    def _grade(self, prompt: Prompt, answer: str) -> Score:
        kind = "chrf" if prompt.task == "translation" else prompt.task
        if prompt.task == "translation":
            value = CHRF().sentence_score(answer, [prompt.reference]).score / 100
        else:
            value = float(answer == prompt.reference)
        return Score(prompt.id, value, (RewardResult(kind, value),))


def stand_in(
    skill: tuple[float, float, float], seed: str, samples: int = 3
) -> Callable[[Sequence[Prompt]], Awaitable[list[list[str]]]]:
    """A generator of answers with a given skill."""
    source = random.Random(seed)
    translation, general, english = skill

    def answer(prompt: Prompt) -> str:
        zero_shot = prompt.columns["suite"] == "translation_zero_shot"
        if zero_shot and source.random() < english:
            return ENGLISH
        chance = translation if prompt.task == "translation" else general
        words = prompt.reference.split(" ")
        return prompt.reference if source.random() < chance else " ".join(words[: len(words) // 2])

    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        return [[answer(prompt) for _ in range(1 + samples)] for prompt in prompts]

    return generate


def _metric_lines(stage: str) -> list[dict[str, Any]]:
    noise = random.Random(stage)
    lines = []
    for step in range(60):
        line: dict[str, Any] = {"stage": stage, "step": step, "time": 1.0 * step, "loss": 4 / (1 + step / 8)}
        line["loss"] += noise.gauss(0, 0.05)
        line["tokens_per_s"] = 5200 + noise.gauss(0, 150)
        if stage == "rl":
            line |= {
                "reward_mean": 0.5 + step / 150 + noise.gauss(0, 0.03),
                "reward/math": 0.4 + step / 130 + noise.gauss(0, 0.05),
                "reward/chrf": 0.7 + step / 300 + noise.gauss(0, 0.02),
                "kl": step / 9000,
                "entropy": 0.8 - step / 130,
                "logprob_max_abs_diff": 10 ** (-6 + noise.gauss(0, 0.2)),
            }
        if stage == "preference":
            line |= {"accuracy": 0.55 + step / 200, "margin": step / 40}
        lines.append(line)
    return lines


def write_run(folder: Path, suites: Sequence[Suite], stages: Sequence[str]) -> Path:
    """A run folder in which `stages` have been trained and evaluated."""
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text("name: made-up\nseed: 0\n", encoding="utf-8")
    lines = []
    shown = [find_stage(stage).shown for stage in stages]
    (folder / "lineage.json").write_text(json.dumps({"stages": [asdict(one) for one in shown]}), encoding="utf-8")
    for stage, title in zip(stages, shown, strict=True):
        evaluation = asyncio.run(evaluate(suites, stand_in(STAGES[stage], stage), Grader(), title))
        evaluation.save(folder / "stages" / stage)
        manifest = {"stage": stage, "seed": 0}
        (folder / "stages" / stage / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        lines += [] if stage == "base" else _metric_lines(stage)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if "rl" in stages:
        rollouts = [_rollout(number, prompt) for number, prompt in enumerate(suites[0].prompts[:40])]
        text = "".join(json.dumps(rollout) + "\n" for rollout in rollouts)
        (folder / "samples.jsonl").write_text(text, encoding="utf-8")
    return folder


def _rollout(number: int, prompt: Prompt) -> dict[str, Any]:
    part = {"kind": "chrf", "value": 1.0, "status": "ok", "detail": "", "latency_s": 0.01}
    return {
        "step": number // 4,
        "version": number // 4,
        "task": prompt.task,
        "id": f"{prompt.id}#{number}",
        "prompt": prompt.question,
        "response": prompt.reference,
        "reward": 1.0,
        "advantage": 0.5,
        "components": [part],
    }


@pytest.fixture(scope="session")
def suites(tmp_path_factory: pytest.TempPathFactory) -> list[Suite]:
    """Small suites of the quickstart's data."""
    folder = tmp_path_factory.mktemp("data")
    build(folder, sizes=SMALL)
    return load_suites(folder / "eval")


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, suites: list[Suite]) -> Path:
    """A run with every stage."""
    return write_run(tmp_path_factory.mktemp("runs") / "whole", suites, list(STAGES))
