"""A smaller vocabulary: the same ids in other numbers, the same outputs, all else in smaller pieces, and back."""

import shutil
from collections import Counter

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from dragoman.checkpoints.errors import CheckpointError
from dragoman.checkpoints.export import export_model
from dragoman.checkpoints.vocabulary import pieces_to_keep, restore, trim
from dragoman.learner.model import load_model, load_tokenizer
from pretrain_sft.tokenizer import train_tokenizer

TEXTS = [
    "Das Licht in der Küche ist an.",
    "The light in the kitchen is on.",
    "Wie spät ist es? 12:30 Uhr",
    "Kücheninsel",
]
RARE = ["Zeitverschiebung Donaudampfschifffahrt", "wonderful thunderstorm", "Ω≈ç√ 漢字"]
SHAPE = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 128, "pad_token_id": 0, "eos_token_id": 4,
    "bos_token_id": None,
}  # fmt: skip
KINDS = {
    "llama": lambda n: LlamaForCausalLM(LlamaConfig(vocab_size=n, **SHAPE, tie_word_embeddings=False)),
    "qwen": lambda n: Qwen3ForCausalLM(Qwen3Config(vocab_size=n, **SHAPE, tie_word_embeddings=True)),
    "gemma": lambda n: Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=n, **SHAPE)),
}


@pytest.fixture(params=KINDS)
def folder(request, tmp_path):
    tokenizer = train_tokenizer([*TEXTS, *RARE] * 9, 420)
    torch.manual_seed(0)
    KINDS[request.param](len(tokenizer)).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def counted(folder):
    tokenizer = load_tokenizer(folder)
    return Counter(n for text in TEXTS for n in tokenizer(text, add_special_tokens=False)["input_ids"])


def logits(folder, ids):
    with torch.no_grad():
        return load_model(folder, "float32")(torch.tensor([ids])).logits[0]


def test_kept_pieces_keep_their_ids_outputs_and_their_way_there(folder, tmp_path):
    kept = pieces_to_keep(folder, counted(folder), 10_000)
    trim(folder, tmp_path / "small", kept)
    whole, small = load_tokenizer(folder), load_tokenizer(tmp_path / "small")
    assert len(small) == len(kept) < len(whole)
    new = {old: number for number, old in enumerate(kept)}
    for text in TEXTS:
        before = whole(text, add_special_tokens=False)["input_ids"]
        after = small(text, add_special_tokens=False)["input_ids"]
        assert after == [new[n] for n in before]
        torch.testing.assert_close(
            logits(tmp_path / "small", after), logits(folder, before)[:, kept], atol=1e-5, rtol=0
        )
    chat = [{"role": "user", "content": TEXTS[0]}, {"role": "assistant", "content": TEXTS[1]}]
    assert small.apply_chat_template(chat, tokenize=False) == whole.apply_chat_template(chat, tokenize=False)
    config = load_model(tmp_path / "small", "float32").config
    assert config.eos_token_id == small.eos_token_id and config.vocab_size == len(small)
    assert small.pad_token == whole.pad_token


def test_what_was_cut_is_written_in_smaller_pieces_and_reads_the_same(folder, tmp_path):
    trim(folder, tmp_path / "small", pieces_to_keep(folder, counted(folder), 10_000))
    whole, small = load_tokenizer(folder), load_tokenizer(tmp_path / "small")
    for text in RARE:
        ids = small(text, add_special_tokens=False)["input_ids"]
        assert small.decode(ids) == text
        assert len(ids) > len(whole(text, add_special_tokens=False)["input_ids"])


def test_fewer_pieces_than_the_texts_use_are_the_frequent_ones_and_what_they_are_made_of(folder, tmp_path):
    counts = counted(folder)
    kept = pieces_to_keep(folder, counts, 5)
    assert {number for number, _ in counts.most_common(3)} <= set(kept)
    assert len(kept) < len(pieces_to_keep(folder, counts, 10_000))
    trim(folder, tmp_path / "small", kept)
    small = load_tokenizer(tmp_path / "small")
    assert all(small.decode(small(t, add_special_tokens=False)["input_ids"]) == t for t in TEXTS + RARE)


def test_the_whole_vocabulary_comes_back_with_what_was_trained(folder, tmp_path):
    kept = pieces_to_keep(folder, counted(folder), 10_000)
    trim(folder, tmp_path / "small", kept)
    restore(tmp_path / "small", folder, tmp_path / "back")
    ids = load_tokenizer(folder)(TEXTS[0], add_special_tokens=False)["input_ids"]
    torch.testing.assert_close(logits(tmp_path / "back", ids), logits(folder, ids))
    model = load_model(tmp_path / "small", "float32")
    model.get_input_embeddings().weight.data += 1
    shutil.rmtree(tmp_path / "small")
    trim(folder, tmp_path / "small", kept)
    model.save_pretrained(tmp_path / "small")
    export_model(tmp_path / "small", tmp_path / "out", "bfloat16", folder)
    out, before = (load_model(path, "float32").get_input_embeddings().weight for path in (tmp_path / "out", folder))
    changed = {n for n in range(len(before)) if not torch.allclose(out[n], before[n], atol=0.01)}
    assert changed == set(kept)
    assert load_model(tmp_path / "out", "bfloat16").config.dtype == torch.bfloat16


def test_export_refuses_to_overwrite_and_to_put_back_what_was_not_cut(folder, tmp_path):
    with pytest.raises(CheckpointError, match="exists; name a folder that does not"):
        export_model(folder, tmp_path, "bfloat16")
    with pytest.raises(CheckpointError, match="is whole already"):
        export_model(folder, tmp_path / "out", "bfloat16", folder)
