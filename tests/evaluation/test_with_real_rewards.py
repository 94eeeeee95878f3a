"""The quickstart's suites under the real rewards: full marks for references, none for copies or silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from dragoman.data.quickstart.examples import Example
from dragoman.data.quickstart.flaws import flawed
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.suites import Suite
from rewards.execution.pools import RewardPools

Row = Mapping[str, Any]
KINDS = ("chrf", "direction", "math", "code", "constraints")


@pytest.fixture(scope="module")
def evaluation(suites: list[Suite], ray_cluster: Any) -> Iterator[Evaluation]:
    """Greedy: the reference. Sampled: another row's in the same language, the source or prompt, nothing, a wrong
    demonstration.
    """

    def other(row: Row) -> str:
        rows = [r for s in suites for r in s.rows if r["suite"] == row["suite"] and r["id"] != row["id"]]
        same = [r for r in rows if r.get("target_language") == row.get("target_language")]
        return str((same or rows)[0]["reference"])

    def wrong(row: Row) -> str:
        return flawed(Example(row["task"], "", "", str(row["reference"]), ())).answer

    async def generate(rows: Sequence[Row]) -> list[list[str]]:
        copies = [str(row.get("source", row["messages"][0]["content"])) for row in rows]
        return [
            [str(row["reference"]), other(row), copy, "", wrong(row)] for row, copy in zip(rows, copies, strict=True)
        ]

    with RewardPools() as pools:
        pools.start(KINDS)
        yield asyncio.run(evaluate(suites, generate, pools.score_many, stage="oracle"))


def test_every_reference_gets_full_marks(evaluation: Evaluation) -> None:
    short = [o for o in evaluation.outcomes if o.reward != 1 or o.correct is not True]
    assert [(o.id, o.reward, o.correct, o.components) for o in short] == []
    assert [suite.metrics["errors"] for suite in evaluation.suites] == [0] * 5


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
