"""Rows that cannot be used: counted, or left out with their reasons; ShareGPT rows are conversations."""

import json

import pytest

from dragoman.data.intake import take_in
from dragoman.data.rows import DataError, read_conversations

GOOD = {"id": "a", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
SHAREGPT = {"id": "b", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}
NULL = {"id": "c", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}]}
NO_ANSWER = {"id": "d", "messages": [{"role": "user", "content": "Hi"}]}


def written(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_all_bad_rows_are_counted_at_once(tmp_path):
    file = written(tmp_path / "sft.jsonl", [GOOD, NULL, SHAREGPT, NO_ANSWER])
    with pytest.raises(DataError, match=r"2 of 4 rows cannot be used, the first: .*sft\.jsonl:2.*data\.bad_rows=drop"):
        read_conversations(file)


def test_sharegpt_rows_read_as_messages(tmp_path):
    one, other = read_conversations(written(tmp_path / "sft.jsonl", [GOOD, SHAREGPT]))
    assert [dict(m) for m in one.messages] == [dict(m) for m in other.messages]


def test_good_rows_are_taken_in_and_bad_ones_named_with_their_reasons(tmp_path):
    written(tmp_path / "mine" / "sft.jsonl", [GOOD, NULL, SHAREGPT, NO_ANSWER])
    written(tmp_path / "mine" / "cpt_mono.jsonl", [{"id": "t", "text": "Hello"}, {"id": "u", "text": None}])
    prompt = {**NO_ANSWER, "rewards": [{"kind": "math", "weight": 1, "args": {"gold": "4"}}]}
    wrong = {**prompt, "rewards": [{"kind": "nonsense"}]}
    written(tmp_path / "mine" / "eval" / "math.jsonl", [prompt, wrong])
    assert take_in(tmp_path / "mine", tmp_path / "data") == 4
    assert [row.id for row in read_conversations(tmp_path / "data" / "sft.jsonl")] == ["a", "b"]
    assert len((tmp_path / "data" / "eval" / "math.jsonl").read_text().splitlines()) == 1
    rejected = [json.loads(line) for line in (tmp_path / "data" / "rejected.jsonl").read_text().splitlines()]
    assert [(row["file"], row["line"]) for row in rejected] == [
        ("cpt_mono.jsonl", 2), ("eval/math.jsonl", 2), ("sft.jsonl", 2), ("sft.jsonl", 4),
    ]  # fmt: skip
    assert "nonsense" in rejected[1]["reason"]


def test_nothing_usable_is_an_error_that_says_why(tmp_path):
    written(tmp_path / "mine" / "sft.jsonl", [NULL])
    with pytest.raises(DataError, match=r"no row of .*sft\.jsonl can be used, the first because: .*a message must be"):
        take_in(tmp_path / "mine", tmp_path / "data")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no \*\.jsonl files"):
        take_in(tmp_path / "empty", tmp_path / "other")
