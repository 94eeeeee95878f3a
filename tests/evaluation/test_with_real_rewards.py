"""The quickstart's suites under the real rewards: full marks for references, none for copies or silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dragoman.data.quickstart.examples import Example
from dragoman.data.quickstart.flaws import flawed
from dragoman.data.rows import Prompt
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.metrics import metrics_of
from dragoman.evaluation.outcomes import Evaluation, StageTitle
from dragoman.evaluation.suites import Suite
from rewards.execution.pools import RewardPools

KINDS = ("chrf", "direction", "math", "code", "constraints")


@pytest.fixture(scope="module")
def evaluation(suites: list[Suite], ray_cluster: Any) -> Iterator[Evaluation]:
    """Greedy: the reference. Sampled: another row's in the same language, the source or prompt, nothing, a wrong
    demonstration.
    """

    every = [prompt for suite in suites for prompt in suite.prompts]

    def target(prompt: Prompt) -> str | None:
        return prompt.pair.target_language if prompt.pair else None

    def other(prompt: Prompt) -> str:
        found = [p for p in every if p.columns["suite"] == prompt.columns["suite"] and p.id != prompt.id]
        return next((p for p in found if target(p) == target(prompt)), found[0]).reference

    def wrong(prompt: Prompt) -> str:
        return flawed(Example(prompt.task, "", "", prompt.reference, ())).answer

    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        copies = [prompt.pair.source if prompt.pair else prompt.question for prompt in prompts]
        return [[p.reference, other(p), copy, "", wrong(p)] for p, copy in zip(prompts, copies, strict=True)]

    with RewardPools() as pools:
        pools.start(KINDS)
        yield asyncio.run(evaluate(suites, generate, pools, StageTitle("oracle", "oracle")))


def test_every_reference_gets_full_marks(evaluation: Evaluation) -> None:
    short = [o for o in evaluation.outcomes if o.reward != 1 or o.correct is not True]
    assert [(o.id, o.reward, o.correct, o.components) for o in short] == []
    assert [suite.metrics["errors"] for suite in evaluation.suites] == [0] * 6


def test_references_have_the_meaning_of_their_sources_and_copies_count_nothing(evaluation: Evaluation) -> None:
    translations = [outcome for outcome in evaluation.outcomes if outcome.task == "translation"]
    assert {set(outcome.measures) == {"adequacy"} for outcome in translations} == {True}
    assert min(outcome.measures["adequacy"] or 0.0 for outcome in translations) > 0.99
    copied = [replace(o, response="", on_target=False) for o in translations]
    assert metrics_of("translation", copied)["adequacy"] == 0


def test_silence_gets_nothing_anywhere(evaluation: Evaluation) -> None:
    assert {outcome.samples[2].reward for outcome in evaluation.outcomes} == {0.0}


def test_copying_the_source_gets_nothing_and_another_sentence_a_little(evaluation: Evaluation) -> None:
    translations = [outcome for outcome in evaluation.outcomes if outcome.task == "translation"]
    assert {outcome.samples[1].reward for outcome in translations} == {0.0}
    others = [outcome.samples[0].reward or 0.0 for outcome in translations]
    assert 0.1 < sum(others) / len(others) < 0.7


def test_repeating_the_prompt_solves_no_sum_and_no_program(evaluation: Evaluation) -> None:
    for outcome in evaluation.outcomes:
        if outcome.task in ("math", "code"):
            assert outcome.samples[1].reward in (0.0, None), outcome.prompt


def test_the_wrong_demonstrations_earn_nothing(evaluation: Evaluation) -> None:
    wrong = [outcome for outcome in evaluation.outcomes if outcome.samples[3].response != outcome.response]
    assert {outcome.task for outcome in wrong} == {"math", "code"}
    assert {outcome.samples[3].reward for outcome in wrong} == {0.0}
