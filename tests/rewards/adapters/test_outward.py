"""Other trainers' own loading code calls rewards of this project and gets the values that the pools give."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
import uvicorn

import rewards.doors.adapters.openrlhf as openrlhf_file
from rewards.doors.adapters import scoring
from rewards.doors.adapters.openrlhf import rows_of
from rewards.doors.adapters.trl import trl_reward
from rewards.doors.adapters.verl import compute_score
from rewards.doors.service import check_binding, create_app
from rewards.errors import RewardError
from rewards.execution.pools import RewardPools

REFERENCE = "Das Haus ist klein."
ANSWERS = ["Das Haus ist klein.", "Das Haus ist sehr klein.", "The house is small.", "Ein Hund."]
SPECS: list[dict[str, Any]] = [
    {"kind": "chrf", "args": {"reference": REFERENCE}},
    {"kind": "direction", "args": {"source": "en", "target": "de"}},
]
PROMPT = "Translate into German: The house is small.\n"


@pytest.fixture(scope="module")
def pools(local_ray: None) -> Iterator[RewardPools]:
    with RewardPools(run_name="adapters") as made:
        yield made


@pytest.fixture(scope="module")
def expected(pools: RewardPools) -> list[float]:
    """Rewards of the answers, straight from the pools; all different from each other bar the floor."""
    rows = [{"id": str(n), "prompt": PROMPT, "response": a, "rewards": SPECS} for n, a in enumerate(ANSWERS)]
    values = [score.reward for score in pools.score_rows(rows)]
    assert values[0] == 1.0 and values[2] == 0.0 and 0.5 < values[1] < 1.0  # gold, off target, near
    return [value for value in values if value is not None]


@pytest.fixture
def own_pools(pools: RewardPools, monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapters' pools of this process are these ones, and no service is set."""
    monkeypatch.setattr(scoring, "_pools", [pools])
    monkeypatch.delenv(scoring.URL_VARIABLE, raising=False)


@pytest.fixture(scope="module")
def service(pools: RewardPools) -> Iterator[str]:
    """The reward service on a free port, with a token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(pools), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the service did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def labels() -> list[str]:
    return [json.dumps({"rewards": SPECS})] * len(ANSWERS)


def test_openrlhf_s_executor_loads_the_file_and_gets_the_pools_values(own_pools: None, expected: list[float]) -> None:
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    executor = SingleTurnAgentExecutor(openrlhf_file.__file__)
    queries = [PROMPT + answer + "<|im_end|>" for answer in ANSWERS]
    replies = asyncio.run(executor._fetch_rewards_via_func(queries, [PROMPT] * len(ANSWERS), labels()))
    assert torch.cat([reply["rewards"] for reply in replies]).tolist() == pytest.approx(expected, abs=1e-7)
    assert [reply["extra_logs"]["direction"].item() for reply in replies] == [1.0, 1.0, 0.0, 1.0]


def test_openrlhf_s_http_protocol_gets_the_same_values(service: str, expected: list[float]) -> None:
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    executor = SingleTurnAgentExecutor(f"{service}/openrlhf")
    queries = [PROMPT + answer for answer in ANSWERS]
    replies = asyncio.run(executor._fetch_rewards_via_http(queries, [PROMPT] * len(ANSWERS), labels()))
    assert [value for reply in replies for value in _as_list(reply["rewards"])] == pytest.approx(expected, abs=1e-7)


def test_trl_s_trainer_gets_the_same_values(own_pools: None, expected: list[float], tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    from dragoman.learner.model import build_model
    from pretrain_sft.tokenizer import train_tokenizer
    from tests.learner.tiny import NUMBERS

    tokenizer = train_tokenizer([PROMPT, *ANSWERS] * 20, 300)
    model = build_model(NUMBERS, len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id, 0)
    columns = {"prompt": [PROMPT] * 4, "reference": [REFERENCE] * 4, "rewards": [json.dumps(SPECS)] * 4}
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[trl_reward(), trl_reward("chrf")],
        args=GRPOConfig(
            output_dir=str(tmp_path), num_generations=4, per_device_train_batch_size=4, max_completion_length=4,
            max_steps=1, report_to=[], use_cpu=True, bf16=False,
        ),
        train_dataset=Dataset.from_dict(columns),
        processing_class=tokenizer,
    )  # fmt: skip
    assert trainer.reward_func_names == ["dragoman", "chrf"]
    inputs = [{name: values[0] for name, values in columns.items()}] * len(ANSWERS)
    found = trainer._calculate_rewards(inputs, [PROMPT] * len(ANSWERS), ANSWERS, [[1]] * len(ANSWERS))
    assert found[:, 0].tolist() == pytest.approx(expected, abs=1e-6)
    assert found[1, 1].item() == pytest.approx(expected[1], abs=1e-6)  # chrF alone: the gate takes nothing off
    assert found[2, 1].item() > 0.1  # and gives nothing off target


def test_a_trl_reward_is_picklable_and_reads_conversations(own_pools: None) -> None:
    reward = pickle.loads(pickle.dumps(trl_reward({"kind": "math"}, name="right")))
    assert reward.__name__ == "right"
    said = [[{"role": "assistant", "content": text}] for text in ("so \\boxed{7}", "so \\boxed{8}")]
    assert reward([[{"role": "user", "content": "3+4?"}]] * 2, said, gold=["7", "7"]) == [1.0, 0.0]


def test_trl_columns_that_arrow_filled_with_none_are_left_out(own_pools: None) -> None:
    specs = [{"kind": "chrf", "weight": None, "args": {"reference": REFERENCE, "gold": None}}]
    assert trl_reward()([PROMPT], [REFERENCE], rewards=[specs]) == [1.0]


def test_verl_gets_score_and_components(own_pools: None, expected: list[float]) -> None:
    found = [compute_score("any", a, REFERENCE, {"rewards": json.dumps(SPECS), "index": 3}) for a in ANSWERS]
    assert [one["score"] for one in found] == pytest.approx(expected)
    assert [one["direction"] for one in found] == [1.0, 1.0, 0.0, 1.0]
    assert compute_score("math", "\\boxed{7}", "7")["score"] == 1.0


def test_a_reward_that_cannot_be_computed_raises_and_is_never_zero(own_pools: None, tmp_path: Path) -> None:
    from rewards import RewardResult
    from rewards.records import Score

    broken = Score("s1", None, (RewardResult("math", None, "timeout", "no answer after 3 s"),))
    with pytest.raises(RewardError, match=r"s1 could not be computed .*math: timeout no answer"):
        scoring.known([broken])
    with pytest.raises(RewardError, match="gold 'nothing"):
        trl_reward("math")([PROMPT], ["\\boxed{7}"], gold=["nothing \\\\ parses"])


@pytest.mark.parametrize(
    ("query", "label", "reason"),
    [
        ("other text", '{"rewards": []}', "does not start with its prompt"),
        (PROMPT + "x", "no json", "label 0 is no JSON"),
        (PROMPT + "x", '{"reference": "x"}', "without 'rewards'"),
    ],
)
def test_an_openrlhf_sample_that_does_not_fit_is_named(query: str, label: str, reason: str) -> None:
    with pytest.raises(RewardError, match=reason):
        rows_of([query], [PROMPT], [label])


def test_special_tokens_at_the_end_are_no_part_of_the_response() -> None:
    label = json.dumps({"rewards": SPECS})
    for end in ("", "<|im_end|>", "</s>", "<end_of_turn>\n", "<eos><pad><pad>"):
        assert rows_of([PROMPT + "a <b>" + end], [PROMPT], [label])[0]["response"] == "a <b>"


def test_a_trainer_without_ray_scores_at_the_service(
    service: str, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(scoring.URL_VARIABLE, service)
    monkeypatch.setattr(scoring, "_local_pools", None)  # would raise if it were used
    assert trl_reward(*SPECS)([PROMPT] * 4, ANSWERS) == pytest.approx(expected)
    with pytest.raises(RewardError, match=r"answered 422: .*row 1 .*unknown reward kind 'chrff'; did you mean 'chrf'"):
        trl_reward("chrff")([PROMPT], ["x"])
    monkeypatch.setenv(scoring.URL_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(RewardError, match="does not answer"):
        trl_reward(*SPECS)([PROMPT], ["x"])


def test_the_service_answers_in_the_row_format_and_describes_itself(service: str, expected: list[float]) -> None:
    rows = [{"id": str(n), "prompt": PROMPT, "response": a, "rewards": SPECS} for n, a in enumerate(ANSWERS)]
    scores = httpx.post(f"{service}/score", json={"rows": rows}).json()["scores"]
    assert [one["reward"] for one in scores] == pytest.approx(expected)
    assert [part["kind"] for part in scores[0]["components"]] == ["chrf", "direction"]
    assert set(scores[0]["components"][0]) == {"kind", "value", "status", "detail", "latency_s"}
    kinds = {kind["name"]: kind for kind in httpx.get(f"{service}/kinds").json()}
    assert kinds["direction"]["gate"] and not kinds["chrf"]["gate"]
    assert [text for text in kinds["direction"]["arguments"] if text.startswith(("row", "response"))] == []
    assert httpx.get(f"{service}/stats").json()["chrf"]["counts"]["ok"] >= len(ANSWERS)
    assert {"/score", "/openrlhf", "/kinds"} <= set(httpx.get(f"{service}/openapi.json").json()["paths"])
    assert httpx.get(f"{service}/docs").status_code == 200


def test_the_service_gives_spans_where_there_are_some_and_else_the_format_of_before(service: str) -> None:
    numbers = {"kind": "mt_instructions", "span_weight": 2, "args": {"instructions": [{"id": "mt:numbers"}]}}
    rows = [
        {"id": str(n), "source": "17 trains", "response": answer, "rewards": [numbers, *SPECS]}
        for n, answer in enumerate(["17 Züge", "18 Züge"])
    ]
    reply = httpx.post(f"{service}/score", json={"rows": rows}, timeout=120).json()
    right, wrong = (score["components"] for score in reply["scores"])
    assert all(set(part) == {"kind", "value", "status", "detail", "latency_s"} for part in [*right, *wrong[1:]])
    assert wrong[0]["spans"] == [{"start": 0, "end": 2, "value": -1.0, "label": "number not in the source: 18"}]


def test_bad_rows_are_refused_whole_with_the_row_s_number(service: str) -> None:
    good = {"id": "1", "response": "x", "rewards": SPECS}
    reply = httpx.post(f"{service}/score", json={"rows": [good, {**good, "id": "2", "rewards": [{"kind": "chrf"}]}]})
    assert reply.status_code == 422 and "row 2 (id '2'), kind 'chrf': missing 'reference'" in reply.json()["detail"]
    assert httpx.post(f"{service}/score", json={"rows": [{"id": "1", "rewards": SPECS}]}).status_code == 422
    assert httpx.post(f"{service}/score", content=iter([b"{}"])).status_code == 413  # no length given


def test_a_token_is_asked_for_and_the_network_needs_one(pools: RewardPools) -> None:
    from fastapi.testclient import TestClient

    client = TestClient(create_app(pools, token="s3cret"))
    assert client.get("/health").status_code == 200
    assert client.get("/kinds").status_code == 401
    assert client.get("/kinds", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/kinds", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    with pytest.raises(RewardError, match="DRAGOMAN_REWARDS_TOKEN"):
        check_binding("0.0.0.0", None)
    check_binding("0.0.0.0", "s3cret")


def _as_list(values: Any) -> list[float]:
    return values.tolist() if hasattr(values, "tolist") else list(values)
