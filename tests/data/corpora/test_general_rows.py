"""Other tasks among the translations of sft: their shares by hand, the total, what is refused."""

import json
from collections import Counter

import pytest
from pydantic import ValidationError

from dragoman.data.corpora.general import counts_of
from dragoman.data.corpora.segments import InputError
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.source import CORPUS
from dragoman.data.quickstart import templates
from dragoman.data.rows import DataError, read_conversations
from dragoman.files import read_lines

NAMES = [first + last for first in ("Ada", "Bel", "Cor", "Dan", "Eva", "Fio", "Gil") for last in "bcdfghklmn"]


def chats(count):
    said = [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": "Red."}]
    return "\n".join(json.dumps({"id": f"c{n}", "messages": said, "task": "chat"}) for n in range(count))


def sizes(folder, **more):
    lines = (f"The house of {name} is old.\tDas Haus von {name} ist alt." for name in NAMES)
    (folder / "m.tsv").write_text("\n".join(["source\ttarget", *lines]), encoding="utf-8")
    inputs = {"path": str(folder / "m.tsv"), "languages": ["en", "de"]}
    return CorpusSizes.model_validate({"inputs": inputs, "filters": ["empty"], "instructed": 0, **more})


def test_shares_are_of_all_rows_and_translation_has_the_rest():
    tower = {"chats.jsonl": 0.5, "math": 0.28}
    assert counts_of(tower, 10_000, 1_000) == {"translation": 220, "chats.jsonl": 500, "math": 280}
    assert counts_of(tower, 22, 1_000) == {"translation": 22, "chats.jsonl": 50, "math": 28}  # 22 / 0.22 = 100 rows


def test_sft_has_its_shares_by_task_whatever_the_seed_and_the_other_files_none(tmp_path):
    (tmp_path / "chats.jsonl").write_text(chats(60), encoding="utf-8")
    shares = {str(tmp_path / "chats.jsonl"): 0.5, "math": 0.14, "code": 0.07, "constraints": 0.07}
    for seed in (0, 1):
        CORPUS.write(tmp_path / f"{seed}", seed, sizes(tmp_path, general=shares, sft=100))
        rows = read_conversations(tmp_path / f"{seed}/sft.jsonl")
        assert Counter(row.task for row in rows) == {
            "translation": 22, "chat": 50, "math": 14, "code": 7, "constraints": 7,
        }  # fmt: skip
        assert len({row.id for row in rows}) == 100
        assert {row.provenance for row in rows if row.task == "chat"} == {"chats.jsonl"}
        assert {row.task for row in read_conversations(tmp_path / f"{seed}/lat.jsonl")} == {"translation"}
        early = Counter(row.task == "translation" for row in rows[:50])
        assert early[True] and early[False], "mixed, not one behind the other"
    assert (tmp_path / "0/sft.jsonl").read_bytes() != (tmp_path / "1/sft.jsonl").read_bytes()
    CORPUS.write(tmp_path / "again", 0, sizes(tmp_path, general=shares, sft=100))
    assert (tmp_path / "0/sft.jsonl").read_bytes() == (tmp_path / "again/sft.jsonl").read_bytes()


def test_what_is_too_little_or_no_share_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "chats.jsonl"
    file.write_text(chats(10), encoding="utf-8")
    with pytest.raises(InputError, match=r"chats\.jsonl has 10 conversations, and its share of sft takes 50"):
        CORPUS.write(tmp_path / "data", 0, sizes(tmp_path, general={str(file): 0.5}, sft=100))
    assert not (tmp_path / "data/sft.jsonl").exists()
    with monkeypatch.context() as patched:
        patched.setattr(templates, "PATIENCE", 0)  # the real ones last for some 17,000 programs, and minutes
        with pytest.raises(InputError, match=r"data\.sizes\.general: split 'train' of code holds only \d+ prompts"):
            CORPUS.write(tmp_path / "data", 0, sizes(tmp_path, general={"code": 0.5}))
    file.write_text('{"id": "1", "messages": []}', encoding="utf-8")
    with pytest.raises(DataError, match=r"chats\.jsonl.*is empty"):
        CORPUS.write(tmp_path / "other", 0, sizes(tmp_path, general={str(file): 0.5}))
    assert not (tmp_path / "other").exists()
    for shares, words in (
        ({"poems": 0.5}, "'poems' is neither a file of JSON lines nor one of math, code, constraints"),
        ({"math": 1.0}, "must be above 0 and below 1"),
        ({"math": 0.6, "code": 0.4}, "shares sum to 1; at least 0.01"),
    ):
        with pytest.raises(ValidationError, match=words):
            CorpusSizes(general=shares)


def test_a_share_of_rl_asks_tasks_of_reasoning_gym_evenly_and_holds_others_out(tmp_path):
    asked = sizes(tmp_path, reasoning=0.25, reasoning_tasks=["lcm", "gcd"], rl=12)
    CORPUS.write(tmp_path / "data", 0, asked)
    rl = [row for _, row in read_lines(tmp_path / "data" / "rl.jsonl")]
    assert [place for place, row in enumerate(rl) if row["task"] == "reasoning"] == [3, 7, 11][: len(rl) // 4]
    assert len(rl) >= 8 and {row["licence"] for row in rl if row["task"] == "reasoning"} == {"Apache-2.0"}
    for split in ("eval", "development"):
        suite = [row for _, row in read_lines(tmp_path / "data" / split / "reasoning.jsonl")]
        assert suite and not {row["cluster"] for row in suite} & {row["cluster"] for row in rl}
    CORPUS.write(tmp_path / "without", 0, sizes(tmp_path, rl=12))
    assert not (tmp_path / "without" / "eval" / "reasoning.jsonl").exists()


def test_tasks_of_translation_share_what_general_leaves(tmp_path):
    """Of 40 rows half are sums; of the 20 others two tasks have a fifth each, within two rows of a short file."""
    asked = sizes(tmp_path, general={"math": 0.5}, tasks={"grammar": 0.2, "quality": 0.2}, sft=40)
    CORPUS.write(tmp_path / "data", 0, asked)
    found = Counter(row.task for row in read_conversations(tmp_path / "data/sft.jsonl"))
    assert found["math"] == 20 and sum(found.values()) == 40
    assert abs(found["grammar"] - 4) <= 2 and abs(found["quality"] - 4) <= 2
