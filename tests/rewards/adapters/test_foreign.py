"""Rewards written for other trainers, unchanged: the shapes are those of their documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rewards import RewardSpec, validate_rows
from rewards.calling import call, call_batch
from rewards.errors import PluginError, RowError
from rewards.plugins import load_plugin
from rewards.registry import find_kind

FILES = {
    "trl_len": """
def trl_len(completions, **kwargs):
    return [float(len(completion)) for completion in completions]
""",
    "trl_chat": """
def trl_chat(prompts, completions, ground_truth, log_extra=None, log_metric=None, **kwargs):
    log_extra("seen", [c[0]["content"] for c in completions])
    log_metric("size", len(completions))
    assert kwargs["trainer_state"] is None
    same = [c[0]["content"] == g for c, g in zip(completions, ground_truth)]
    return [1.0 if s else None if p[-1]["content"] == "skip" else 0.0 for s, p in zip(same, prompts)]
""",
    "trl_async": """
import asyncio
async def trl_async(prompts, completions, **kwargs):
    await asyncio.sleep(0)
    return [float(p in c) for p, c in zip(prompts, completions)]
""",
    "verl_float": """
def verl_float(data_source, solution_str, ground_truth, extra_info=None):
    return float(data_source == "gsm8k" and solution_str.endswith(ground_truth)) + extra_info.get("more", 0)
""",
    "verl_dict": """
def verl_dict(solution_str, ground_truth, method="strict", format_score=0.0, score=1.0):
    return {"score": score if solution_str == ground_truth else format_score, "acc": solution_str == ground_truth}
""",
    "rlhf_dict": """
import torch
def rlhf_dict(queries, prompts, labels):
    right = [q == p + l for q, p, l in zip(queries, prompts, labels)]
    reward = torch.tensor(right, dtype=torch.float)
    return {"rewards": reward, "scores": reward, "extra_logs": {"dummy": reward}}
""",
    "rlhf_tensor": """
import torch
def rlhf_tensor(queries, prompts, labels):
    return torch.tensor([len(q) for q in queries], dtype=torch.float)
""",
    "vf_exact": """
async def vf_exact(completion, answer, state, **kwargs) -> float:
    return 1.0 if completion[-1]["content"] == answer and state["id"] else 0.0
""",
    "vf_info": """
def vf_info(completion, info, task) -> float:
    return float(completion == info["want"] and task == "default")
""",
}


def load(folder: Path, name: str, text: str | None = None) -> Any:
    path = folder.parent / f"{name}.py"  # the same file for every test: a name has one origin
    path.write_text(text or FILES[name])
    return find_kind(load_plugin(f"{path}:{name}"))


def row(response: str, **columns: Any) -> dict[str, Any]:
    return {"id": "r", "prompt": "p", "response": response, **columns}


def chat(response: str, question: str = "q", **columns: Any) -> dict[str, Any]:
    return {"id": "r", "messages": [{"role": "user", "content": question}], "response": response, **columns}


def batch(kind: Any, rows: list[dict[str, Any]]) -> list[float | None]:
    results = call_batch(kind, [(RewardSpec(kind.name), one) for one in rows])
    assert results is not None and all(r.status in ("ok", "not_applicable") for r in results), results
    return [r.value for r in results]


def single(kind: Any, one: dict[str, Any]) -> Any:
    return call(kind, RewardSpec(kind.name), one)


def test_trl_gets_lists_and_plain_text_for_plain_prompts(tmp_path: Path) -> None:
    kind = load(tmp_path, "trl_len")
    assert kind.batched
    assert batch(kind, [row("abc"), row("")]) == [3.0, 0.0]


def test_trl_gets_messages_and_columns_and_none_is_not_applicable(tmp_path: Path) -> None:
    kind = load(tmp_path, "trl_chat")
    rows = [chat("4", ground_truth="4"), chat("5", ground_truth="4"), chat("5", "skip", ground_truth="4")]
    assert batch(kind, rows) == [1.0, 0.0, None]


def test_an_async_trl_reward_is_awaited(tmp_path: Path) -> None:
    assert batch(load(tmp_path, "trl_async"), [row("a p"), row("a q")]) == [1.0, 0.0]


def test_a_row_without_the_column_a_trl_reward_needs_is_refused_when_data_is_loaded(tmp_path: Path) -> None:
    load(tmp_path, "trl_chat")
    with pytest.raises(RowError, match="'ground_truth'"):
        validate_rows([{**chat("4"), "rewards": [{"kind": "trl_chat"}]}])


def test_token_ids_cannot_be_given(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="completion_ids"):
        load(tmp_path, "ids", "def ids(completions, completion_ids):\n    return [0.0]\n")


def test_verl_gets_its_truth_from_the_column_or_from_verl_s_own_nesting(tmp_path: Path) -> None:
    kind = load(tmp_path, "verl_float")
    assert single(kind, row("so 7", data_source="gsm8k", ground_truth="7")).value == 1.0
    nested = row("so 7", data_source="gsm8k", reward_model={"ground_truth": "7"}, extra_info={"more": 2})
    assert single(kind, nested).value == 3.0
    assert single(kind, row("so 8", data_source="gsm8k", ground_truth="7")).value == 0.0


def test_a_verl_dict_gives_its_score_and_the_rest_as_detail(tmp_path: Path) -> None:
    result = single(load(tmp_path, "verl_dict"), row("7", ground_truth="7"))
    assert (result.value, result.detail) == (1.0, '{"acc": true}')


def test_a_verl_row_without_truth_is_an_error_and_not_a_zero(tmp_path: Path) -> None:
    result = single(load(tmp_path, "verl_dict"), row("7"))
    assert (result.value, result.status) == (None, "error")
    assert "ground_truth" in result.detail


def test_openrlhf_gets_query_prompt_and_label(tmp_path: Path) -> None:
    assert batch(load(tmp_path, "rlhf_dict"), [row("yes", label="yes"), row("no", label="yes")]) == [1.0, 0.0]
    assert batch(load(tmp_path, "rlhf_tensor"), [row("yes"), chat("no", "q")]) == [4.0, 4.0]  # "pyes", "q\nno"


def test_verifiers_rubric_functions_get_what_they_name(tmp_path: Path) -> None:
    kind = load(tmp_path, "vf_exact")
    assert single(kind, chat("4", answer="4")).value == 1.0
    assert single(kind, chat("5", answer="4")).value == 0.0
    assert single(load(tmp_path, "vf_info"), row("x", info={"want": "x"})).value == 1.0


def test_a_function_with_response_is_our_own_whatever_else_it_takes(tmp_path: Path) -> None:
    kind = load(tmp_path, "own", "def own(response, completions):\n    return float(response == completions)\n")
    assert not kind.batched
    assert single(kind, row("a", completions="a")).value == 1.0
