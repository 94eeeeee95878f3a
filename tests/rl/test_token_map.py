"""Characters to tokens on real tokenizers, against the bytes that each token stands for."""

import random

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

from dragoman.rollout import answer_text
from pretrain_sft.tokenizer import train_tokenizer
from rewards.records import Span
from rl import token_map
from rl.token_map import token_ranges, token_values

TEXTS = [
    "Der Hund ist 12,5 % älter als die Straße.",
    "Собака старше кошки на 3 года.",
    "狗比猫大三岁。電車は9時に出ます。",
    "개가 고양이보다 세 살 많다.",
    "कुत्ता बिल्ली से बड़ा है।",
    "สุนัขแก่กว่าแมว ๓ ปี",
    "الكلب أكبر من القطة بـ ٣ سنوات",
    "e\u0301a\u0308o\u0302 \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea {name} <b>x</b>",
]


def byte_alphabet():
    """GPT-2's table of characters for bytes, made again from its description."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(256 + n): b for n, b in enumerate(hidden)}


def byte_level():
    """Few merges: Han characters and emoji take several tokens, and some merges cross glyphs."""
    tokenizer = train_tokenizer(TEXTS * 3, 330)
    alphabet = byte_alphabet()
    special = set(tokenizer.all_special_ids)

    def bytes_of(ids):
        pieces = tokenizer.convert_ids_to_tokens(ids)
        return [b"" if i in special else bytes(alphabet[c] for c in p) for i, p in zip(ids, pieces, strict=True)]

    return tokenizer, bytes_of


def sentencepiece():
    """As Llama's and Gemma's: the space is a letter, unknown glyphs are bytes, the first space is dropped."""
    alphabet = sorted({c for text in TEXTS[:2] for c in text.replace(" ", "▁")})
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<unk>", "</s>", *fallback], initial_alphabet=alphabet, limit_alphabet=60,
        show_progress=False,
    )  # fmt: skip
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.train_from_iterator([text for text in TEXTS[:2]] * 3, trainer)
    plain = Tokenizer.from_str(_without_special_bytes(made.to_str()))
    strip = decoders.Strip(content=" ", left=1, right=0)
    replace = decoders.Replace("▁", " ")
    plain.decoder = decoders.Sequence([replace, decoders.ByteFallback(), decoders.Fuse(), strip])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="</s>", unk_token="<unk>")

    def bytes_of(ids):
        found, first = [], True
        for piece in tokenizer.convert_ids_to_tokens(ids):
            if piece in ("</s>", "<unk>"):
                found.append(b"")
                continue
            piece_bytes = bytes([int(piece[3:5], 16)]) if piece in fallback else piece.replace("▁", " ").encode()
            found.append(piece_bytes.removeprefix(b" ") if first else piece_bytes)
            first = False
        return found

    return tokenizer, bytes_of


def _without_special_bytes(text):
    import json

    state = json.loads(text)
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    return json.dumps(state)


def expected_ranges(pieces, text):
    """From the bytes alone: a token writes the characters of which it has a byte."""
    starts = np.cumsum([0, *(len(c.encode()) for c in text)])
    assert b"".join(pieces) == text.encode()
    ranges, done = [], 0
    for piece in pieces:
        first = np.searchsorted(starts, done, side="right") - 1
        last = np.searchsorted(starts, done + len(piece), side="left")
        ranges.append((first, last) if piece else None)
        done += len(piece)
    return ranges


def check(tokenizer, bytes_of, ids):
    text = answer_text(tokenizer, ids)
    found = token_ranges(lambda part: answer_text(tokenizer, part), ids, text)
    for got, wanted in zip(found.tolist(), expected_ranges(bytes_of(ids), text), strict=True):
        assert got[0] == got[1] if wanted is None else tuple(got) == wanted


@pytest.fixture(scope="module", params=[byte_level, sentencepiece])
def tokens(request):
    return request.param()


@pytest.mark.parametrize("text", TEXTS)
def test_every_script_is_mapped_by_its_bytes(tokens, text):
    tokenizer, bytes_of = tokens
    ids = tokenizer(text, add_special_tokens=False).input_ids
    check(tokenizer, bytes_of, [*ids, tokenizer.eos_token_id])


def test_random_answers_are_mapped_by_their_bytes(tokens):
    tokenizer, bytes_of = tokens
    source = random.Random(0)
    split = 0
    for _ in range(300):
        words = [word for text in source.sample(TEXTS, 3) for word in text.split(" ")]
        text = source.choice(["", " ", "\n"]) + " ".join(source.choices(words, k=source.randint(1, 30)))
        ids = tokenizer(text, add_special_tokens=False).input_ids
        for _ in range(source.randint(0, 3)):  # special tokens anywhere, inside of glyphs too
            ids.insert(source.randint(0, len(ids)), tokenizer.eos_token_id)
        check(tokenizer, bytes_of, ids)
        split += any(len(piece) < 3 and piece and piece[0] >= 0x80 for piece in bytes_of(ids))
    assert split > 100  # glyphs of several tokens were among them


def test_a_long_answer_is_mapped_as_exactly_as_a_short_one(tokens):
    tokenizer, bytes_of = tokens
    ids = tokenizer(" ".join(TEXTS * 20), add_special_tokens=False).input_ids
    assert len(ids) > 2000
    check(tokenizer, bytes_of, ids)


def test_the_number_of_decoded_tokens_grows_with_the_answer_and_not_with_its_square(tokens):
    tokenizer, _ = tokens
    seen = []

    def decode(ids):
        seen.append(len(ids))
        return answer_text(tokenizer, ids)

    ids = tokenizer(" ".join(TEXTS * 20), add_special_tokens=False).input_ids
    token_ranges(decode, ids, answer_text(tokenizer, ids))
    assert sum(seen) < 40 * len(ids)


def test_bytes_that_are_no_text_stay_within_their_own_tokens():
    tokenizer, _ = byte_level()
    alphabet = {b: c for c, b in byte_alphabet().items()}
    ids = tokenizer.convert_tokens_to_ids(
        ["a", alphabet[0xE4], alphabet[0xB8], "b", alphabet[0xFF], alphabet[0xFF], "c"]
    )
    text = answer_text(tokenizer, ids)
    assert text == "a\ufffdb\ufffd\ufffdc"
    found = token_ranges(lambda part: answer_text(tokenizer, part), ids, text)
    assert found.tolist() == [[0, 1], [1, 2], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6]]


def test_garbage_is_mapped_the_same_in_pieces_and_as_a_whole(tokens, monkeypatch):
    """A policy at random weights writes bytes that are no text; no piece may begin inside of what may be a glyph."""
    tokenizer, _ = tokens
    source = random.Random(1)
    answers = [source.choices(range(5, len(tokenizer)), k=600) for _ in range(10)]
    texts = [answer_text(tokenizer, ids) for ids in answers]
    assert all("\ufffd" in text for text in texts)
    decoded = []

    def decode(ids):
        decoded.append(len(ids))
        return answer_text(tokenizer, ids)

    in_pieces = [token_ranges(decode, *pair).tolist() for pair in zip(answers, texts, strict=True)]
    assert sum(decoded) < 60 * 10 * 600
    monkeypatch.setattr(token_map, "_WINDOW", 10**9)
    assert [token_ranges(decode, *pair).tolist() for pair in zip(answers, texts, strict=True)] == in_pieces


def test_a_decoder_that_joins_words_and_mends_spaces():
    """WordPiece: the space is written by the decoder, and taken away again before a full stop."""
    vocabulary = {"[UNK]": 0, "un": 1, "##glaub": 2, "##lich": 3, "schön": 4, ".": 5, "[SEP]": 6}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.decoder = decoders.WordPiece(cleanup=True)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="[SEP]")
    ids = [1, 2, 3, 4, 5, 6] * 4
    text = answer_text(tokenizer, ids)
    assert text.startswith("unglaublich schön. un")
    found = token_ranges(lambda part: answer_text(tokenizer, part), ids, text).tolist()
    assert [text[slice(*place)] for place in found[:7]] == ["un", "glaub", "lich", " schön", ".", "", " un"]


def test_text_that_was_stripped_or_cut_keeps_its_places(tokens):
    tokenizer, _ = tokens
    ids = tokenizer("  狗 ist 12 Jahre alt. STOP und", add_special_tokens=False).input_ids
    whole = answer_text(tokenizer, ids)
    text = whole.strip().partition(" und")[0]
    found = token_ranges(lambda part: answer_text(tokenizer, part), ids, text)
    assert "".join(text[s:e] for s, e in dict.fromkeys(map(tuple, found.tolist()))) == text
    assert found[-1].tolist() == [len(text), len(text)]  # what was cut off writes nothing
    with pytest.raises(ValueError, match="no part"):
        token_ranges(lambda part: answer_text(tokenizer, part), ids, "another text")


def test_values_are_dealt_evenly_or_given_whole_and_add_up():
    ranges = np.array([[0, 3], [3, 5], [5, 5], [5, 9], [8, 10]])  # the third writes nothing, the last two share a glyph
    spans = [Span(2, 4, -1.0), Span(8, 9, -0.5), Span(0, 10, 2.0)]
    # by hand: (0-3)(3-5) share -1; the glyph's two tokens share -0.5; four tokens share 2
    assert token_values(ranges, spans).tolist() == pytest.approx([0.0, 0.0, 0.0, 0.25, 0.25])
    assert token_values(ranges, spans, "whole").tolist() == pytest.approx([1.0, 1.0, 0.0, 1.5, 1.5])
    assert token_values(ranges, []).tolist() == [0.0] * 5


def test_a_special_token_within_a_span_gets_nothing():
    tokenizer, _ = byte_level()
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<|x|>", special=True)]})
    marker = tokenizer.convert_tokens_to_ids("<|x|>")
    ids = tokenizer("abc").input_ids
    ids = [*ids[:1], marker, *ids[1:], tokenizer.eos_token_id]
    text = answer_text(tokenizer, ids)
    values = token_values(token_ranges(lambda part: answer_text(tokenizer, part), ids, text), [Span(0, 3, -3.0)])
    assert values[1] == values[-1] == 0 and values.sum() == pytest.approx(-3.0)
