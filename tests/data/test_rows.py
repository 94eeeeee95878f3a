"""Rows become records once, and what is wrong with one is named by file, line and column."""

import json

import pytest

from dragoman.data.rows import (
    Conversation,
    DataError,
    Document,
    ParallelPair,
    each_conversation,
    each_document,
    each_text,
    holds_documents,
    read_conversations,
    read_documents,
    read_prompts,
    with_specs,
)
from rewards import RewardError, RewardSpec

ASK = {"role": "user", "content": "Say it in English: ja"}
CHAT = {"id": "c", "task": "translation", "messages": [ASK, {"role": "assistant", "content": "yes"}]}
PAIR = {"source_language": "de", "target_language": "en", "source": "ja"}


def file(tmp_path, *rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_a_document_and_a_conversation_are_told_apart_and_carry_their_origin(tmp_path):
    text = {"id": "d", "text": "a\u2028b", "languages": ["de", "en"], "licence": "CC0-1.0", "provenance": "a book"}
    path = file(tmp_path, text)
    assert holds_documents(path) and list(each_text(path)) == ["a\u2028b"]
    assert list(each_document(path)) == [Document("d", "a\u2028b", ("de", "en"), "a book", "CC0-1.0")]
    path = file(tmp_path, CHAT)
    assert not holds_documents(path) and list(each_text(path)) == [f"{ASK['content']}\nyes"]
    found = list(each_conversation(path))
    assert found == [Conversation("c", tuple(CHAT["messages"]), "translation")]
    assert found[0].instruction == ASK["content"]


def test_a_translation_knows_its_pair(tmp_path):
    (row,) = read_conversations(file(tmp_path, {**CHAT, **PAIR}), translations=True)
    assert row.pair == ParallelPair("de", "en", "ja", "yes") and row.pair.direction == ("de", "en")
    (plain,) = read_conversations(file(tmp_path, CHAT))
    assert plain.pair is None


def test_a_prompt_has_its_rewards_parsed_and_its_columns_whole(tmp_path):
    spec = {"kind": "chrf", "weight": 2, "args": {"reference": "yes"}}
    row = {"id": "p", "task": "t", "messages": [ASK], "rewards": [spec], "reference": "yes", "cluster": "ja", **PAIR}
    (prompt,) = read_prompts(file(tmp_path, row))
    assert prompt.specs == (RewardSpec("chrf", 2.0, {"reference": "yes"}),)
    assert (prompt.columns, prompt.question, prompt.cluster) == (row, ASK["content"], "ja")
    assert prompt.pair == ParallelPair("de", "en", "ja", "yes")
    added = RewardSpec("repetition")
    assert with_specs([prompt], [added], keep=True)[0].specs == (*prompt.specs, added)
    assert with_specs([prompt], [added], keep=False)[0].specs == (added,)


@pytest.mark.parametrize(
    ("read", "rows", "error", "words"),
    [
        (read_documents, [{"id": "a", "text": "x"}, {"id": "b"}], DataError, r"l:2: column 'text' is missing"),
        (read_documents, [{"id": "a", "text": None}], DataError, r":1: column 'text' is a NoneType, not a str"),
        (read_documents, ['{"id": "a"'], DataError, r"rows\.jsonl:1 is not JSON"),
        (read_documents, [], DataError, r"rows\.jsonl holds no rows"),
        (read_conversations, [{"id": "a", "messages": [ASK]}], DataError, r":1: messages must end with the assistant"),
        (read_conversations, [{"id": "a", "messages": []}], DataError, r":1: column 'messages' is empty"),
        (
            read_conversations, [{"id": "a", "messages": [{"role": "user", "content": None}]}], DataError,
            r":1: a message must be",
        ),
        (read_prompts, [{"id": "a", "messages": [ASK]}], RewardError, r":1: column 'rewards' must be"),
        (
            read_prompts, [{"id": "a", "messages": [ASK], "rewards": [{"kind": "chrff"}]}], RewardError,
            r":1: unknown reward kind 'chrff'; did you mean 'chrf'",
        ),
        (
            lambda path: read_conversations(path, translations=True), [CHAT], DataError,
            r":1: column 'source_language' is missing",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, read, rows, error, words):
    with pytest.raises(error, match=words):
        read(file(tmp_path, *rows))


@pytest.mark.parametrize(
    "columns",
    [
        {"conversations": [{"from": "human", "value": ASK["content"]}, {"from": "gpt", "value": "yes"}]},
        {"messages": [{"from": "user", "value": ASK["content"]}, {"from": "chatgpt", "value": "yes"}]},
        {"messages": [{**ASK, "content": [{"type": "text", "text": "Say it in "}, {"text": "English: ja"}]},
                      {"role": "assistant", "content": "yes"}]},
    ],
)  # fmt: skip
def test_layouts_of_other_projects_are_read(tmp_path, columns):
    (row,) = read_conversations(file(tmp_path, {"id": "c", **columns}))
    assert [(m["role"], m["content"]) for m in row.messages] == [("user", ASK["content"]), ("assistant", "yes")]


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ({"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, "only parts of text are read"),
        ({"role": "function_call", "content": "f()"}, "role 'function_call' is none of system, "),
        ({"from": "human", "value": None}, "its content is None"),
        ("Hi", "a message must be"),
    ],
)
def test_a_message_of_no_known_layout_is_named(tmp_path, turn, words):
    row = {"id": "c", "messages": [turn, {"role": "assistant", "content": "yes"}]}
    with pytest.raises(DataError, match=rf"rows\.jsonl:1: .*{words}"):
        read_conversations(file(tmp_path, row))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"missing data file .*gone\.jsonl"):
        read_documents(tmp_path / "gone.jsonl")


def test_an_unusable_gold_names_its_row_and_leaves_the_choice(tmp_path):
    rewards = [[{"kind": "math", "args": {"gold": gold}}] for gold in ("7", "\\frac{")]
    rows = [{"id": str(number), "messages": [ASK], "rewards": each} for number, each in enumerate(rewards)]
    with pytest.raises(RewardError, match=r":2, kind 'math': gold .* is degenerate.*data\.bad_rows=drop"):
        read_prompts(file(tmp_path, *rows))
