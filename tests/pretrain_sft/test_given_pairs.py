"""Pairs from files: every layout, the same tokens as sampled pairs, held out by question, and what is refused."""

import json

import pytest

from dragoman.data.rows import DataError
from dragoman.learner.encoding import encode_prompt
from pretrain_sft.preference.bias import language_bias, length_bias
from pretrain_sft.preference.given import chats_of, given_pairs
from pretrain_sft.preference.pairs import Answer, Pair
from pretrain_sft.settings import PreferenceSettings
from pretrain_sft.tokenizer import train_tokenizer

USER = {"role": "user", "content": "Into German: The house is old."}
SAID = {"role": "assistant", "content": "Das Haus ist alt."}
WORSE = {"role": "assistant", "content": "Haus alt."}


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([USER["content"], SAID["content"], WORSE["content"]] * 20, 400)


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [USER], "chosen": SAID["content"], "rejected": WORSE["content"]},
        {"prompt": USER["content"], "chosen": SAID["content"], "rejected": WORSE["content"]},
        {"prompt": [USER], "chosen": [SAID], "rejected": [WORSE]},
        {"chosen": [USER, SAID], "rejected": [USER, WORSE]},
    ],
)
def test_every_layout_is_the_same_pair(row):
    assert chats_of(row, "f:1") == ([USER], SAID, WORSE)


def test_tokens_are_those_of_a_sampled_answer_and_questions_are_held_out_whole(tmp_path, tokenizer):
    rows = [
        {"id": f"{k}/{n}", "cluster": f"q {k}", "messages": [USER], "chosen": SAID["content"], "rejected": f"{n}"}
        for k in range(40) for n in range(2)
    ]  # fmt: skip
    pairs = given_pairs(written(tmp_path / "p.jsonl", rows), tokenizer, PreferenceSettings(heldout_share=0.3), 0)
    first = pairs[0]
    assert list(first.prompt_ids) == encode_prompt(tokenizer, [USER])
    assert first.chosen.token_ids[-1] == tokenizer.eos_token_id  # what an engine samples ends so, too
    assert tokenizer.decode(first.chosen.token_ids[:-1]) == SAID["content"]
    assert (first.chosen.reward, first.rejected.reward) == (1.0, 0.0)
    sides = {}
    for row, pair in zip(rows, pairs, strict=True):
        sides.setdefault(row["cluster"], set()).add(pair.heldout)
    assert {len(found) for found in sides.values()} == {1} and {True} in sides.values() and {False} in sides.values()
    bias = length_bias(pairs)
    assert bias["chosen_longer_share"] == 1.0 and bias["chosen_longer_tokens"] > 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": [USER], "chosen": "a"}, r"p\.jsonl:1 has no 'rejected'"),
        ({"chosen": "a", "rejected": "b"}, "has no prompt"),
        ({"messages": [USER], "chosen": "a", "rejected": "a"}, "prefers an answer to itself"),
        (
            {"messages": [USER], "chosen": "a", "rejected": "b"},
            r"1 pairs to train on and 0 to measure on|0 pairs.*and 1",
        ),
    ],
)
def test_what_is_no_pair_is_named(tmp_path, tokenizer, row, words):
    with pytest.raises(DataError, match=words):
        given_pairs(written(tmp_path / "p.jsonl", [row]), tokenizer, PreferenceSettings(), 0)


def test_a_bias_towards_a_language_is_told():
    """Of 24 pairs in two languages English is the better side of 6; 8 are German twice, 2 have few letters."""
    german, english = (
        "Der Zug nach Berlin fährt heute von Gleis zwei ab.",
        "The train to Berlin leaves from platform two.",
    )

    def pair(better, worse):
        return Pair("x", (1,), Answer((1,), better, 1), Answer((2,), worse, 0), False)

    pairs = [pair(german, english)] * 18 + [pair(english, german)] * 6 + [pair(german, german + " Danke schön.")] * 8
    found = language_bias([*pairs, pair("42", english), pair(german, "x = 1")])
    assert found == {
        "languages_differ_share": 24 / 32, "chosen_in_de_share": 18 / 24, "chosen_in_en_share": 6 / 24,
    }  # fmt: skip
    assert language_bias(pairs[:9]) == {"languages_differ_share": 1.0}  # too few to tell chance from bias
