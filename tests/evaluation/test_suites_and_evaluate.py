"""Suites that cannot be evaluated are refused by name; evaluation goes by id and survives its files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dragoman.data.rows import Prompt, prompt_of
from dragoman.evaluation.evaluate import ROWS_PER_SLICE, evaluate
from dragoman.evaluation.outcomes import Evaluation, StageTitle
from dragoman.evaluation.suites import Suite, SuiteError, load_suite, load_suites
from rewards.records import RewardResult, Score

GOOD = {"id": "m1", "task": "math", "messages": [{"role": "user", "content": "What is 7 + 5?"}],
        "rewards": [{"kind": "math", "args": {"gold": "12"}}], "reference": "12", "heldout": "slots"}  # fmt: skip


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def without(column: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != column}


def test_a_folder_without_suites_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=f"no evaluation suite .* in {tmp_path}.*build the data"):
        load_suites(tmp_path)
    with pytest.raises(SuiteError, match="nowhere"):
        load_suites(tmp_path / "nowhere")


def test_a_missing_or_empty_suite_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"gone\.jsonl is missing: build the data"):
        load_suite(tmp_path / "gone.jsonl")
    with pytest.raises(SuiteError, match=r"empty\.jsonl is empty"):
        load_suite(write(tmp_path / "empty.jsonl"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([GOOD, without("reference")], r"s\.jsonl:2: column 'reference' is missing; a math row needs it"),
        ([GOOD, ["a list"]], r"s\.jsonl:2 holds a list, not an object"),
        ([GOOD, GOOD], "repeats an id"),
        ([GOOD, {**GOOD, "id": "m2", "task": "code"}], "mixes tasks"),
        ([{**GOOD, "task": "translation"}], r"column 'source_language' is missing; a translation row"),
    ],
)
def test_malformed_rows_are_named_with_their_line(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        load_suite(write(tmp_path / "s.jsonl", *rows))


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(json.dumps(GOOD) + "\n{broken\n", encoding="utf-8")
    with pytest.raises(SuiteError, match=r"s\.jsonl:2 is not JSON"):
        load_suite(tmp_path / "s.jsonl")


def test_the_quickstarts_suites_load_translation_first(suites: list[Suite]) -> None:
    translations = ["translation_parallel_only", "translation_supervised", "translation_zero_shot"]
    names = [*translations, "code", "constraints", "math"]
    assert [suite.name for suite in suites] == names


SFT = StageTitle("sft", "fine-tuning")
PROMPTS = tuple(prompt_of({**GOOD, "id": f"m{number}"}, "here") for number in range(3))


def answering(*answers: list[str]) -> Callable[[Sequence[Prompt]], Any]:
    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        return list(answers)

    return generate


class Checker:
    """Right for "12", an error for "crash"."""

    async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
        return [self._check(prompt, answer) for prompt, answer in answers]

    def _check(self, prompt: Prompt, answer: str) -> Score:
        if answer == "crash":
            return Score(prompt.id, None, (RewardResult("math", None, "error", "verifier died"),))
        value = float(answer == "12")
        return Score(prompt.id, value, (RewardResult("math", value),))


class Shortened(Checker):
    """Forgets the last answer."""

    async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
        return (await super().score_many(answers))[:-1]


class Reversed(Checker):
    """Returns the scores in another order."""

    async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
        return (await super().score_many(answers))[::-1]


def run(generate: Any, scorer: Any = None) -> Evaluation:
    return asyncio.run(evaluate([Suite("math", PROMPTS)], generate, scorer or Checker(), SFT))


def test_greedy_and_sampled_responses_are_told_apart() -> None:
    found = run(answering(["12", "13", "12"], ["13", "12", "12"], ["crash", "12", "crash"]))
    metrics = found.suites[0].metrics
    assert metrics["accuracy"] == metrics["reward_greedy"] == 0.5
    assert metrics["reward_sampled"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert metrics["errors"] == 2
    assert [outcome.correct for outcome in found.outcomes] == [True, False, None]
    assert found.outcomes[2].components[0].detail == "verifier died"


def test_scores_in_another_order_are_refused() -> None:
    with pytest.raises(ValueError, match="score_many returned the score of 'm2' for 'm0': keep the order"):
        run(answering(["12"], ["13"], ["14"]), Reversed())


def test_an_incomplete_generator_or_scorer_is_named() -> None:
    with pytest.raises(ValueError, match="generate returned 2 results for 3 rows"):
        run(answering(["12"], ["12"]))
    with pytest.raises(ValueError, match="no response for row 'm1'"):
        run(answering(["12"], [], ["12"]))
    with pytest.raises(ValueError, match="score_many returned 2 results for 3 rows"):
        run(answering(["12"], ["12"], ["12"]), Shortened())


def test_one_slice_is_scored_while_another_is_generated_and_every_answer_finds_its_row() -> None:
    events: list[str] = []
    suites = [
        Suite(name, tuple(prompt_of({**GOOD, "id": f"{name}{k}"}, "here") for k in range(150))) for name in ("a", "b")
    ]

    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        if prompts[0].id != "a0":  # the first slice is there at once, the others wait until it is being scored
            while "scoring" not in events:
                await asyncio.sleep(0)
        events.append("generated")
        return [[f"answer to {prompt.id}"] for prompt in prompts]

    class Watched(Checker):
        async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
            events.append("scoring")
            return await super().score_many(answers)

    found = asyncio.run(asyncio.wait_for(evaluate(suites, generate, Watched(), SFT), 10))
    assert [o.id for o in found.outcomes] == [prompt.id for suite in suites for prompt in suite.prompts]
    assert all(o.response == f"answer to {o.id}" for o in found.outcomes)
    assert events[:2] == ["generated", "scoring"]
    assert events.count("generated") == round(300 / ROWS_PER_SLICE)


def test_an_id_in_two_suites_is_named() -> None:
    twice = [Suite("a", PROMPTS[:1]), Suite("b", PROMPTS[:1])]
    with pytest.raises(ValueError, match="id 'm0' occurs 2 times"):
        asyncio.run(evaluate(twice, answering(["12"], ["12"]), Checker(), SFT))


def test_an_evaluation_survives_its_files(tmp_path: Path) -> None:
    found = run(answering(["12", "13"], ["ж\u2028\n", "12"], ["crash", "crash"]))
    found.save(tmp_path / "stage")
    assert Evaluation.load(tmp_path / "stage") == found
    assert sorted(path.name for path in (tmp_path / "stage").iterdir()) == [
        "evaluation.json",
        "evaluation.jsonl",
    ]
