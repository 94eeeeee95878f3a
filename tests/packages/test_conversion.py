"""A converted model is the model: its logits are those of transformers, its tokens those of SentencePiece."""

import io
import json
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
import sentencepiece
import torch
from gguf import GGUFWriter
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from dragoman.packages.architectures import names_of
from dragoman.packages.chat_templates import GEMMA
from dragoman.packages.conversion import convert
from dragoman.packages.errors import PackageError
from dragoman.packages.gguf_file import GgufFile
from dragoman.packages.records import PackagedModel
from dragoman.packages.vocabularies import build_tokenizer
from dragoman.packages.weights import bfloat16_bits
from dragoman.text.tables import listed

sys.path.insert(0, str(Path(__file__).parent))
from gguf_samples import byte_level_vocabulary, random_model, sentencepiece_vocabulary, write_gguf

SYLLABLES = sorted(listed("an be če dö er für gla ho in ja ko lé mañ ne ou pra que řa sch tz"))
WORDS = sorted(listed("das haus steht am the house is old la maison près de l'eau čas běží mañana über größe 日本 語"))


def word(random):
    return "".join(random.choices(SYLLABLES, k=random.randint(1, 4)))


@pytest.fixture(scope="module")
def pieces():
    """A small SentencePiece BPE model of Gemma's kind."""
    random, model = Random(0), io.BytesIO()
    texts = [" ".join([*random.choices(WORDS, k=4), *(word(random) for _ in range(5))]) for _ in range(600)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=420, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False,
        user_defined_symbols=["\n", "\n\n", "▁▁", "▁▁▁", "<b>"], control_symbols=["<end_of_turn>"],
        pad_id=0, eos_id=1, bos_id=2, unk_id=3, character_coverage=0.995, minloglevel=2,
    )  # fmt: skip
    return sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())


def made(tmp_path, architecture, vocabulary, **ends):
    size = {"gemma3": 420}.get(architecture, 300)
    model = random_model(architecture, vocab_size=size)
    file = GgufFile(write_gguf(tmp_path / f"{architecture}.gguf", architecture, model, vocabulary))
    folder = tmp_path / "out"
    folder.mkdir()
    convert(file, PackagedModel("tiny", (), (), "", **ends), folder)
    return model, file, folder


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gemma3"])
def test_logits_are_those_of_the_model_and_of_transformers_own_reader(tmp_path, architecture, pieces):
    gemma = architecture == "gemma3"
    vocabulary = sentencepiece_vocabulary(pieces) if gemma else byte_level_vocabulary("qwen2")
    ends = ("<end_of_turn>", "</s>") if gemma else ("<|turn|>", "<|end|>")
    model, file, folder = made(
        tmp_path,
        architecture,
        vocabulary,
        turn_end=ends[0],
        document_end=ends[1],
        chat_template=GEMMA if gemma else None,
    )
    tokens = torch.randint(0, 290, (2, 24), generator=torch.Generator().manual_seed(1))
    converted = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    second = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=file.path.name, dtype=torch.float32).eval()
    with torch.no_grad():
        wanted = model(tokens).logits
        assert wanted.std() > 0.3  # a model that says nothing would agree with anything
        torch.testing.assert_close(converted(tokens).logits, wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(second(tokens).logits, wanted, rtol=1e-4, atol=1e-4)
    assert converted.config.tie_word_embeddings is (architecture != "llama")


def test_a_base_model_gets_turns_and_both_end_tokens(tmp_path, pieces):
    _, _, folder = made(
        tmp_path,
        "gemma3",
        sentencepiece_vocabulary(pieces),
        turn_end="<end_of_turn>",
        document_end="</s>",
        chat_template=GEMMA,
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.eos_token, tokenizer.document_end_token) == ("<end_of_turn>", "</s>")
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " haus "}]
    assert tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True) == (
        "<s><start_of_turn>user\nBe brief.\n\nhaus<end_of_turn>\n<start_of_turn>model\n"
    )
    assert tokenizer("haus").input_ids[0] == tokenizer.bos_token_id
    tokenizer.save_pretrained(tmp_path / "again")
    assert AutoTokenizer.from_pretrained(tmp_path / "again").document_end_token == "</s>"
    generation = json.loads((folder / "generation_config.json").read_text())
    assert generation["eos_token_id"] == tokenizer.convert_tokens_to_ids(["<end_of_turn>", "</s>"])


def test_a_model_with_turns_of_its_own_keeps_them(tmp_path):
    _, _, folder = made(tmp_path, "llama", byte_level_vocabulary("smollm"), turn_end="<|turn|>", document_end="<|end|>")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi<|turn|>"
    assert tokenizer.convert_ids_to_tokens(tokenizer("hi").input_ids) == ["h", "i"]  # and no begin token


def test_sentencepiece_ids_are_sentencepieces(tmp_path, pieces):
    path = tmp_path / "p.gguf"
    write_gguf(path, "gemma3", random_model("gemma3", vocab_size=420), sentencepiece_vocabulary(pieces))
    tokenizer = build_tokenizer(GgufFile(path))
    wanted = sentencepiece.SentencePieceProcessor(model_proto=pieces.SerializeToString())
    random = Random(1)
    joints = (" ", " ", " ", "  ", "   ", "    ", "\n", "\n\n\n", "<b>", "", "😀")
    texts = [
        "".join(
            w + random.choice(joints)
            for w in random.choices([*WORDS, "xyz", "ß", *(word(random) for _ in range(20))], k=9)
        )
        for _ in range(1500)
    ]
    found = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert found == wanted.encode(texts)
    assert [tokenizer.decode(ids) for ids in found] == texts
    assert len({number for ids in found for number in ids}) > 100


def test_byte_level_words_are_cut_as_the_file_says(tmp_path):
    cuts = {}
    for cut in ("smollm", "qwen2"):
        path = write_gguf(tmp_path / f"{cut}.gguf", "llama", random_model("llama"), byte_level_vocabulary(cut))
        cuts[cut] = build_tokenizer(GgufFile(path))
    assert cuts["smollm"].encode("in the 12č").tokens == ["in", "Ġthe", "Ġ", "1", "2", "Äį"]
    assert cuts["qwen2"].encode("c\u030c").tokens == ["Äį"]  # composed first
    assert all(
        tokenizer.decode(tokenizer.encode("in the 12 häuser").ids) == "in the 12 häuser" for tokenizer in cuts.values()
    )


def test_rounding_to_bfloat16_is_torchs():
    values = np.random.default_rng(0).standard_normal(100_000).astype(np.float32) * np.float32(1e3)
    halves = np.concatenate([values, np.array([1.00390625, 1.01171875, 0.0, -0.0], dtype=np.float32)])  # the ties
    wanted = torch.from_numpy(halves).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    assert np.array_equal(bfloat16_bits(halves), wanted)


def test_what_cannot_be_converted_is_named(tmp_path, pieces):
    writer = GGUFWriter(str(tmp_path / "m.gguf"), "mamba")
    writer.add_tokenizer_model("bert")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(PackageError, match=r"'mamba'.*llama, qwen2, gemma3 can be converted"):
        names_of(GgufFile(tmp_path / "m.gguf"))
    with pytest.raises(PackageError, match="kind 'bert'"):
        build_tokenizer(GgufFile(tmp_path / "m.gguf"))
    model = random_model("qwen2")
    del model.model.layers[1].self_attn.q_proj.bias
    path = write_gguf(tmp_path / "q.gguf", "qwen2", model, byte_level_vocabulary("qwen2"))
    with pytest.raises(PackageError, match=r"no weight, 'blk.1.attn_q.bias'"):
        names_of(GgufFile(path))
    with pytest.raises(PackageError, match="way 'tiktoken'"):
        build_tokenizer(
            GgufFile(write_gguf(tmp_path / "t.gguf", "llama", random_model("llama"), byte_level_vocabulary("tiktoken")))
        )


def test_an_end_token_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PackageError, match=r"no token '<\|im_end\|>'"):
        made(tmp_path, "llama", byte_level_vocabulary("smollm"), turn_end="<|im_end|>", document_end="<|end|>")


def test_the_tokenizer_file_is_what_the_library_reads(tmp_path):
    _, _, folder = made(tmp_path, "llama", byte_level_vocabulary("smollm"), turn_end="<|turn|>", document_end="<|end|>")
    plain, loaded = Tokenizer.from_file(str(folder / "tokenizer.json")), AutoTokenizer.from_pretrained(folder)
    text = "in the <|turn|> the"
    assert plain.encode(text).ids == loaded(text).input_ids
