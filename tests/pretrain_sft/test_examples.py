"""Lengths, turns and ends: what becomes of long rows, which answers carry loss, what stands after a document."""

import json

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from dragoman.learner.encoding import (
    EncodingError,
    document_end,
    encode_chats,
    encode_documents,
    encode_prompt,
    encode_prompts,
)
from dragoman.learner.packing import SequenceTooLong
from pretrain_sft import encoded
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import RowLimit
from pretrain_sft.tokenizer import train_tokenizer

TURNS = [
    {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"},
    {"role": "assistant", "content": "  Farewell"},
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["Be kind. Hi Hello Bye Farewell"] * 3, 300)


def trained(tokenizer, sequence):
    return tokenizer.decode(sequence.token_ids[sequence.channels["loss_mask"] == 1])


def test_every_answer_or_the_last_one_is_learned(tokenizer):
    (last,) = encode_chats(tokenizer, [TURNS], ["r"])
    (both,) = encode_chats(tokenizer, [TURNS], ["r"], all_turns=True)
    assert trained(tokenizer, last) == "  Farewell<|end|>"
    assert trained(tokenizer, both) == "Hello<|end|>  Farewell<|end|>"
    assert tokenizer.decode(both.token_ids) == tokenizer.apply_chat_template(TURNS, tokenize=False)


def test_an_answer_that_begins_with_spaces_starts_after_the_engines_prompt(tokenizer):
    (sequence,) = encode_chats(tokenizer, [TURNS], ["r"])
    prompt = encode_prompt(tokenizer, TURNS[:-1])
    assert sequence.token_ids[: len(prompt)].tolist() == prompt


def test_a_template_that_rewrites_earlier_turns_is_refused_with_the_mend(tokenizer):
    other = train_tokenizer(["Hi"], 300)
    other.chat_template = "{{ messages | length }}" + tokenizer.chat_template
    with pytest.raises(EncodingError, match=r"row r: this chat template .*; set sft\.trained_turns=last"):
        encode_chats(other, [TURNS], ["r"], all_turns=True)


def test_what_a_template_writes_behind_the_end_token_carries_no_loss(tokenizer):
    other = train_tokenizer(["Be kind. Hi Hello Bye Farewell"] * 3, 300)
    other.chat_template = (  # ChatML's line break
        "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + eos_token + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    )
    (last,) = encode_chats(other, [TURNS], ["r"])
    (both,) = encode_chats(other, [TURNS], ["r"], all_turns=True)
    assert trained(other, last) == "  Farewell<|end|>"
    assert trained(other, both) == "Hello<|end|>  Farewell<|end|>"
    assert other.decode(both.token_ids).endswith("Farewell<|end|>\n")


def test_a_template_without_a_system_role_names_the_row_and_says_why(tokenizer):
    other = train_tokenizer(["Hi"], 300)
    other.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        + tokenizer.chat_template
    )
    refused = r"row r7: .* refuses its messages \(system, user, assistant, user\): System role not supported; change"
    with pytest.raises(EncodingError, match=refused):
        encode_chats(other, [TURNS], ["r7"])
    with pytest.raises(EncodingError, match=r"row p1: .* System role not supported"):
        encode_prompts(other, [TURNS[:2]], ["p1"])


def test_a_template_that_asks_for_the_date_is_told_the_recipes(tokenizer):
    other = train_tokenizer(["Hi 2031"], 300)
    other.chat_template = "{{ strftime_now('%d %b %Y') }}" + tokenizer.chat_template
    first = other.decode(encode_prompt(other, TURNS[:2]))
    other.template_date = "2031-02-03"
    assert first.startswith("01 Jan 2026") and other.decode(encode_prompt(other, TURNS[:2])).startswith("03 Feb 2031")


def test_where_every_text_begins_with_a_space_the_pieces_are_those_of_the_whole():
    """As Llama 2's tokenizer: tokenised apart, an answer would begin with a space that the whole has not."""
    words = ["<unk>", "<s>", "</s>", "▁", "H", "i", "y", "▁H", "▁Hi", ":"]
    made = Tokenizer(models.BPE({w: n for n, w in enumerate(words)}, [("▁", "H"), ("▁H", "i")], unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Metaspace()
    made.pre_tokenizer = pre_tokenizers.Split(":", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", unk_token="<unk>")
    fast.chat_template = (
        "{% for m in messages %}{{ m['content'] + ':' }}{% endfor %}{% if add_generation_prompt %}{% endif %}"
    )
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "y"}]
    (sequence,) = encode_chats(fast, [chat], ["r"])
    assert sequence.token_ids.tolist() == fast("Hi:y:", add_special_tokens=False)["input_ids"]


def written(tmp_path, lengths):
    rows = [
        {"id": f"r{n}", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Bye " * n}]}
        for n in lengths
    ]
    (tmp_path / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "sft.jsonl"


def test_long_rows_are_refused_with_their_number_left_out_or_cut(tmp_path, tokenizer, capsys):
    file = written(tmp_path, [2, 90, 3, 80])

    def encode(path, limit):
        return RowEncoder(tokenizer, limit, tmp_path / "encoded").file(path)

    with pytest.raises(
        SequenceTooLong, match=r"2 of 4 rows of sft\.jsonl have more than 40 tokens, for instance .*r90"
    ):
        encode(file, RowLimit(40))
    assert not list((tmp_path / "encoded").iterdir())  # nothing half-written is left
    kept = encode(file, RowLimit(40, "drop"))
    assert [one.label[-3:] for one in kept] == [" r2", " r3"]
    assert "0 were cut there, 2 left out (data.long_rows=drop)" in capsys.readouterr().out
    cut = encode(file, RowLimit(40, "truncate"))
    assert [len(one.token_ids) for one in cut][1::2] == [40, 40]
    assert "2 were cut there, 0 left out" in capsys.readouterr().out
    with pytest.raises(SequenceTooLong, match="nothing is left to train on"):
        encode(file, RowLimit(3, "truncate"))


def test_documents_begin_and_end_as_their_tokenizer_has_it(tokenizer):
    (plain,) = encode_documents(tokenizer, ["Hi"], 40, ["r"])
    assert tokenizer.decode(plain.token_ids) == "Hi<|end|>"
    chat = train_tokenizer(["Hi"], 300)
    chat.add_special_tokens({"bos_token": "<|user|>", "additional_special_tokens": ["<|endoftext|>"]})
    (turned,) = encode_documents(chat, ["Hi"], 40, ["r"])
    assert chat.decode(turned.token_ids) == "Hi<|endoftext|>"  # no begin token: it puts none before a text
    assert document_end(chat) == chat.convert_tokens_to_ids("<|endoftext|>") != chat.eos_token_id


def test_rows_from_disk_are_those_in_memory_whatever_the_pieces(tmp_path, tokenizer, monkeypatch):
    texts = [f"word {'x ' * (n % 7)}end" for n in range(50)]
    (tmp_path / "cpt.jsonl").write_text(
        "".join(json.dumps({"id": f"t{n}", "text": t}) + "\n" for n, t in enumerate(texts))
    )
    whole = encode_documents(tokenizer, texts, 6, [f"t{n}" for n in range(50)])
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "yes"}] * 2
    (tmp_path / "sft.jsonl").write_text(json.dumps({"id": "c", "messages": turns}) + "\n")
    (chat,) = encode_chats(tokenizer, [turns], ["sft.jsonl: row c"], all_turns=True)
    for piece in (3, 1000):
        monkeypatch.setattr(encoded, "PIECE", piece)
        encoder = RowEncoder(tokenizer, RowLimit(6), tmp_path / f"encoded{piece}")
        found = encoder.file(tmp_path / "cpt.jsonl")
        assert len(found) == len(whole) and found.lengths.tolist() == [len(one.token_ids) for one in whole]
        for got, wanted in zip(found, whole, strict=True):
            assert (got.label, got.token_ids.tolist()) == (wanted.label, wanted.token_ids.tolist())
            assert got.channels["loss_mask"].tolist() == wanted.channels["loss_mask"].tolist()
        wide = RowEncoder(tokenizer, RowLimit(64), tmp_path / f"encoded{piece}")
        (got,) = wide.file(tmp_path / "sft.jsonl", all_turns=True)
        assert got.channels["loss_mask"].tolist() == chat.channels["loss_mask"].tolist()


def test_what_was_encoded_is_found_again_until_anything_it_depends_on_changes(tmp_path, tokenizer, monkeypatch):
    file, cache = written(tmp_path, [2, 3]), tmp_path / "encoded"
    RowEncoder(tokenizer, RowLimit(40), cache).file(file)
    (made,) = cache.iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(encoded, "_write", lambda *a: pytest.fail("encoded again"))
        assert len(RowEncoder(tokenizer, RowLimit(40), cache).file(file)) == 2
    RowEncoder(tokenizer, RowLimit(41), cache).file(file)
    RowEncoder(tokenizer, RowLimit(40), cache).file(file, all_turns=True)
    monkeypatch.setattr(tokenizer, "template_date", "2020-02-02", raising=False)
    RowEncoder(tokenizer, RowLimit(40), cache).file(file)
    written(tmp_path, [2, 4])
    RowEncoder(tokenizer, RowLimit(40), cache).file(file)
    assert len(list(cache.iterdir())) == 5 and made.exists()
