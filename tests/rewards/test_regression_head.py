"""Regression heads say what transformers says of the same text, whatever the batch, and MetricX's recipe is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModelForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MT5Config,
    MT5ForConditionalGeneration,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from rewards import RewardError
from rewards.calling import call_batch
from rewards.models.regression import rescale
from rewards.models.regression_models import load_regression_model
from rewards.models.score_cache import ScoreCache
from rewards.records import RewardSpec
from rewards.registry import find_kind
from rewards.validation import validate_rows

LETTERS = {symbol: number for number, symbol in enumerate(["<pad>", "</s>", "<unk>", "<s>"])}
LETTERS |= {chr(code): len(LETTERS) + code for code in range(32, 127)}
CHAT = "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
ROWS = [
    {"prompt": "Translate: Der Hund", "source": "Der Hund", "response": "The dog", "reference": "The dog."},
    {"prompt": "Translate: Hallo Welt", "source": "Hallo Welt", "response": "Hello", "reference": "Hello, world"},
    {"prompt": "Translate: Ja", "source": "Ja", "response": "Yes, of course it is true", "reference": "Yes"},
]


def save_tokenizer(folder: Path, chat: bool = False) -> PreTrainedTokenizerFast:
    """One token a character; `</s>` at the end, between the two texts of a pair as well."""
    tokenizer = Tokenizer(models.WordLevel(LETTERS, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "bos_token": "<s>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    if chat:
        fast.chat_template = CHAT
    fast.save_pretrained(folder)
    return fast


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=200, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=300, num_labels=1, pad_token_id=0, initializer_range=0.5,
    )  # fmt: skip
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reward-model")
    torch.manual_seed(2)
    LlamaForSequenceClassification(llama(num_labels=1)).save_pretrained(folder)
    save_tokenizer(folder, chat=True)
    return folder


@pytest.fixture(scope="module")
def metricx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metricx")
    torch.manual_seed(3)
    config = MT5Config(
        vocab_size=250112, d_model=8, d_kv=4, d_ff=16, num_layers=2, num_heads=2, tie_word_embeddings=False,
        initializer_factor=1.0,
    )  # fmt: skip
    model = MT5ForConditionalGeneration(config)
    with torch.no_grad():
        model.lm_head.weight[250089] = torch.linspace(3, 9, 8)  # so that the figures lie within 0..25, mostly
    model.config.architectures = ["MT5ForRegression"]
    model.save_pretrained(folder)
    text = (folder / "config.json").read_text().replace("MT5ForConditionalGeneration", "MT5ForRegression")
    (folder / "config.json").write_text(text)
    save_tokenizer(folder)
    return folder


def llama(**changes: Any) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=200, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        pad_token_id=0, initializer_range=0.5, **changes,
    )  # fmt: skip


def scored(rows: list[dict[str, Any]], **args: Any) -> list[Any]:
    spec = RewardSpec("regression_head", args=args)
    results = call_batch(find_kind("regression_head"), [(spec, row) for row in rows])
    assert results is not None
    return results


def alone(model: Any, ids: list[int]) -> float:
    with torch.inference_mode():
        return float(model(input_ids=torch.tensor([ids])).logits[0, 0])


def spelled(text: str) -> list[int]:
    return [LETTERS[letter] for letter in text]


def test_an_encoder_with_one_label(encoder: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(encoder).eval()
    wanted = [alone(model, [*spelled(f"{r['source']} | {r['response']}"), 1]) for r in ROWS]
    found = scored(ROWS, model=str(encoder), template="{source} | {response}")
    assert [result.value for result in found] == pytest.approx(wanted, abs=1e-5)
    assert len({round(value, 3) for value in wanted}) == 3
    pairs = [alone(model, [*spelled(r["source"]), 1, *spelled(r["response"]), 1]) for r in ROWS]
    found = scored(ROWS, model=str(encoder), template=["{source}", "{response}"])
    assert [result.value for result in found] == pytest.approx(pairs, abs=1e-5)


def test_a_reward_model_reads_its_own_chat_format(reward_model: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(reward_model).eval()
    texts = [[3, *spelled(f"user: {r['prompt']}"), 1, 3, *spelled(f"assistant: {r['response']}"), 1] for r in ROWS]
    found = scored(ROWS, model=str(reward_model))
    assert [result.value for result in found] == pytest.approx([alone(model, ids) for ids in texts], abs=1e-5)


def metricx_by_hand(folder: Path, text: str) -> float:
    """google-research/metricx: no end of sequence, one decoder step from token 0, logit 250089, cut to 0..25."""
    model = MT5ForConditionalGeneration.from_pretrained(folder).eval()
    with torch.inference_mode():
        hidden = model.encoder(input_ids=torch.tensor([spelled(text)]))[0]
        step = model.decoder(input_ids=torch.zeros(1, 1, dtype=torch.long), encoder_hidden_states=hidden)[0]
        return min(25.0, max(0.0, float(step[0, 0] @ model.lm_head.weight[250089])))


def test_metricx_with_and_without_reference(metricx: Path) -> None:
    errors = [
        metricx_by_hand(metricx, f"source: {r['source']} candidate: {r['response']} reference: {r['reference']}")
        for r in ROWS
    ]
    assert any(0 < error < 25 for error in errors)
    found = scored(ROWS, model=str(metricx))
    assert [result.value for result in found] == pytest.approx([1 - error / 25 for error in errors], abs=1e-5)
    bare = [{"source": r["source"], "response": r["response"]} for r in ROWS]
    wanted = [1 - metricx_by_hand(metricx, f"source: {r['source']} candidate: {r['response']}") / 25 for r in ROWS]
    assert [result.value for result in scored(bare, model=str(metricx))] == pytest.approx(wanted, abs=1e-5)
    best = max(wanted_with(metricx, ROWS[0], text) for text in ("The dog.", "A dog!"))
    assert scored([{**ROWS[0], "reference": ["The dog.", "A dog!"]}], model=str(metricx))[0].value == pytest.approx(
        best, abs=1e-5
    )


def wanted_with(folder: Path, row: dict[str, str], reference: str) -> float:
    text = f"source: {row['source']} candidate: {row['response']} reference: {reference}"
    return 1 - metricx_by_hand(folder, text) / 25


def test_worst_and_best_become_zero_and_one(encoder: Path) -> None:
    assert [rescale(x, 25, 0) for x in (25, 0, 5, 30, -1)] == [0.0, 1.0, 0.8, 0.0, 1.0]
    assert [rescale(x, -2, 2) for x in (-2, 2, 1, 9)] == [0.0, 1.0, 0.75, 1.0]
    raw = scored(ROWS[:1], model=str(encoder), template="{response}")[0].value
    scaled = scored(ROWS[:1], model=str(encoder), template="{response}", worst=raw - 1, best=raw + 3)[0]
    assert scaled.value == pytest.approx(0.25) and f"{raw:.4f}" in scaled.detail


def test_a_model_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    LlamaForCausalLM(llama(num_labels=1)).save_pretrained(tmp_path / "lm")
    save_tokenizer(tmp_path / "lm")
    LlamaForSequenceClassification(llama(num_labels=3)).save_pretrained(tmp_path / "three")
    save_tokenizer(tmp_path / "three")
    with pytest.raises(RewardError, match=r"lacks score\.weight"):
        load_regression_model(str(tmp_path / "lm"))
    with pytest.raises(RewardError, match="3 labels"):
        load_regression_model(str(tmp_path / "three"))
    with pytest.raises(RewardError, match=r"nowhere.*cannot be loaded"):
        load_regression_model(str(tmp_path / "nowhere"))


def test_what_a_row_lacks_is_named(encoder: Path, reward_model: Path) -> None:
    assert "'source'" in scored([{"response": "x"}], model=str(encoder), template="{source}{response}")[0].detail
    assert "chat template" in scored([{"response": "x"}], model=str(encoder))[0].detail
    assert "regression_head.arguments.model" in scored([{"response": "x"}])[0].detail


@pytest.mark.parametrize(
    "args", [{"template": "{answer}"}, {"template": "no field"}, {"worst": 1}, {"worst": 1, "best": 1}, {"template": 3}]
)
def test_malformed_arguments_are_refused_when_data_is_loaded(args: dict[str, Any]) -> None:
    with pytest.raises(RewardError, match=r"template|worst"):
        validate_rows([{"id": "a", "response": "x", "rewards": [{"kind": "regression_head", "args": args}]}])


def test_the_cache_asks_once_and_forgets_the_oldest() -> None:
    asked: list[list[str]] = []

    def compute(keys: list[str]) -> list[float]:
        asked.append(keys)
        return [math.nan if key == "nan" else float(len(key)) for key in keys]

    cache: ScoreCache[str, float] = ScoreCache(capacity=2)
    assert cache.fill(["a", "bb", "a"], compute) == [1.0, 2.0, 1.0]
    assert cache.fill(["a", "ccc"], compute) == [1.0, 3.0]  # bb was used longest ago and is dropped
    assert cache.fill(["bb"], compute) == [2.0]
    assert asked == [["a", "bb"], ["ccc"], ["bb"]]
