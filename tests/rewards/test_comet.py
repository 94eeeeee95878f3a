"""COMET through the pools: the figures of unbabel-comet itself, in one Ray session with vLLM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from comet_samples import SAMPLES

from dragoman.learner import ModelSettings
from rewards import PoolSettings, RewardError, RewardPools, validate_rows
from rewards.errors import RowError
from rewards.models.comet import error_spans
from rewards.models.comet_models import checkpoint_of

TINY_MODEL = ModelSettings(
    hidden_size=32, intermediate_size=64, layers=2, heads=2, key_value_heads=1, head_dimension=32, context=128,
)  # fmt: skip


@pytest.fixture(scope="module")
def expected(comet_models: Path) -> dict[str, list[float]]:
    return json.loads((comet_models / "expected.json").read_text())


@pytest.fixture(scope="module")
def pools(local_ray: None, comet_models: Path) -> Iterator[RewardPools]:
    settings = {"comet": PoolSettings(arguments={"model": str(comet_models / "comet")})}
    with RewardPools(settings, run_name="comet") as started:
        started.start(["comet"])
        yield started


def rows(kind: str, *, reference: bool, **args: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": str(number),
            "response": sample["mt"],
            "source": sample["src"],
            **({"reference": sample["ref"]} if reference else {}),
            "rewards": [{"kind": kind, "args": args}],
        }
        for number, sample in enumerate(SAMPLES)
    ]


def test_comet_gives_the_figures_of_unbabel_comet(pools: RewardPools, expected: dict[str, list[float]]) -> None:
    assert len({round(value, 4) for value in expected["comet"]}) > 20  # the tiny model tells texts apart
    scores = pools.score_rows(rows("comet", reference=True))
    assert [score.reward for score in scores] == pytest.approx(expected["comet"], abs=1e-6)
    again = pools.score_rows(rows("comet", reference=True))
    assert [score.reward for score in again] == [score.reward for score in scores]


def test_kiwi_and_xcomet_too_with_the_model_named_by_the_row(
    pools: RewardPools, comet_models: Path, expected: dict[str, Any]
) -> None:
    kiwi = pools.score_rows(rows("comet_kiwi", reference=False, model=str(comet_models / "kiwi")))
    assert [score.reward for score in kiwi] == pytest.approx(expected["kiwi"], abs=1e-6)
    with_reference = pools.score_rows(rows("xcomet", reference=True, model=str(comet_models / "xcomet")))
    assert [score.reward for score in with_reference] == pytest.approx(expected["xcomet"], abs=1e-6)
    without = pools.score_rows(rows("xcomet", reference=False, model=str(comet_models / "xcomet")))
    assert [score.reward for score in without] == pytest.approx(expected["xcomet_qe"], abs=1e-6)
    for score, errors in zip(with_reference, expected["xcomet_errors"], strict=True):
        assert bool(score.components[0].detail) == bool(errors)


def test_xcomets_errors_become_spans_of_the_answer(
    pools: RewardPools, comet_models: Path, expected: dict[str, Any]
) -> None:
    model, marked = str(comet_models / "xcomet"), 0
    scores = pools.score_rows(
        [*rows("xcomet", reference=True, model=model), *rows("xcomet", reference=False, model=model)]
    )
    wanted = expected["xcomet_errors"] + expected["xcomet_qe_errors"]
    for score, sample, errors in zip(scores, SAMPLES * 2, wanted, strict=True):
        found, answer = score.components[0].spans, sample["mt"]
        texts = [error["text"].replace("<s>", "").replace("</s>", "").split() for error in errors]
        written = [(text, error) for text, error in zip(texts, errors, strict=True) if text]
        assert len(found) == len(written)
        for span, (text, error) in zip(found, written, strict=True):
            assert answer[span.start : span.end].split() == text
            assert span.value == {"minor": -0.2, "major": -1.0, "critical": -2.0}[error["severity"]]
            assert span.label.startswith(error["severity"])
            marked += 1
    assert marked > 0


def test_an_error_span_loses_its_white_space_and_finds_the_end_that_a_special_token_hides() -> None:
    def error(text: str, start: int, end: int, severity: str = "major") -> dict[str, Any]:
        return {"text": text, "start": start, "end": end, "severity": severity, "confidence": 0.5}

    answer = "Das ist das Haus"
    given = [error("ist das", 3, 11), error("das Haus</s>", 8, 0, "minor"), error("<s>", 0, 0), error(" ", 3, 4)]
    found = error_spans(answer, given)
    assert [(span.start, span.end, span.value) for span in found] == [(4, 11, -1.0), (8, 16, -0.2)]


def test_of_several_references_the_best_counts(pools: RewardPools, expected: dict[str, list[float]]) -> None:
    asked = rows("comet", reference=True)[:2]
    first, second = (sample["ref"] for sample in SAMPLES[:2])
    alone = [pools.score_rows([{**asked[0], "reference": text}])[0].reward for text in (first, second)]
    both = pools.score_rows([{**asked[0], "reference": [first, second]}])[0].reward
    assert both == pytest.approx(max(alone), abs=1e-6) and alone[0] != pytest.approx(alone[1], abs=1e-3)


def test_a_worker_that_was_killed_comes_back_with_its_model(
    pools: RewardPools, expected: dict[str, list[float]]
) -> None:
    ray.kill(ray.get_actor("dragoman/comet/reward-comet/0"), no_restart=False)
    scores = pools.score_rows(rows("comet", reference=True))
    assert [score.reward for score in scores] == pytest.approx(expected["comet"], abs=1e-6)


def test_a_kiwi_row_must_not_name_a_model_that_needs_references(pools: RewardPools, comet_models: Path) -> None:
    score = pools.score_rows(rows("comet_kiwi", reference=False, model=str(comet_models / "comet"))[:1])[0]
    assert score.reward is None and "needs references" in score.components[0].detail


def test_a_missing_model_is_named_before_compute_is_spent(local_ray: None, tmp_path: Path) -> None:
    settings = {"comet": PoolSettings(arguments={"model": str(tmp_path / "none")})}
    with RewardPools(settings, run_name="no-model") as pools, pytest.raises(RewardError, match=r"none.*no such file"):
        pools.start(["comet"])


def test_no_model_at_all_is_an_error_with_the_mend(pools: RewardPools) -> None:
    score = pools.score_rows(rows("comet_kiwi", reference=False)[:1])[0]
    assert score.reward is None and "rewards.pools.comet_kiwi.arguments.model" in score.components[0].detail


def test_a_folder_without_a_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(RewardError, match=r"checkpoints/model\.ckpt"):
        checkpoint_of(str(tmp_path))


def test_an_environment_missing_on_this_node_is_named(local_ray: None) -> None:
    settings = {"comet": PoolSettings(environment="/nowhere/bin/python")}
    with RewardPools(settings, run_name="nowhere") as pools, pytest.raises(RewardError, match=r"nowhere.*missing on"):
        pools.start(["comet"])


def test_malformed_rows_are_refused_when_data_is_loaded() -> None:
    good = rows("comet", reference=True)[0]
    validate_rows([good])
    with pytest.raises(RowError, match="'reference'"):
        validate_rows([{**good, "reference": ""}])
    with pytest.raises(RowError, match="'source'"):
        validate_rows([{**good, "source": 7}])


@pytest.mark.slow
def test_comet_scores_what_vllm_says_in_one_ray_session(
    pools: RewardPools, tmp_path: Path, expected: dict[str, list[float]]
) -> None:
    """Both engines at once; the answers of the tiny policy differ, so the figures are taken before and after."""
    from dragoman.learner.model import build_model
    from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings
    from pretrain_sft.tokenizer import train_tokenizer

    tokenizer = train_tokenizer([sample["ref"] for sample in SAMPLES] * 3, 320)
    build_model(TINY_MODEL, len(tokenizer), tokenizer.eos_token_id, 0, 0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    settings = RolloutSettings(cpus_per_worker=0.1)

    async def translate() -> list[str]:
        group = RolloutGroup(tmp_path, settings, 128, "beside-comet")
        try:
            await group.start()
            prompts = [tokenizer(sample["src"]).input_ids for sample in SAMPLES]
            answers = await group.generate_many(prompts, SamplingSettings(12, 1.0), list(range(len(prompts))))
            scores = await pools.score_rows_async(rows("comet", reference=True))  # while the engine is up
            assert [score.reward for score in scores] == pytest.approx(expected["comet"], abs=1e-6)
            return [tokenizer.decode(answer.token_ids) for answer in answers]
        finally:
            group.close()

    answers = asyncio.run(translate())
    asked = [{**row, "response": text} for row, text in zip(rows("comet", reference=True), answers, strict=True)]
    values = [score.reward for score in pools.score_rows(asked)]
    assert all(isinstance(value, float) for value in values) and len(set(values)) > 10
