"""Files that are there whole or not at all, and JSON lines that end at newlines only."""

import json
import os

import pytest

from dragoman.files import (
    FileError,
    append_lines,
    publish_folder,
    read_json,
    read_lines,
    rewind,
    whole_lines,
    write_lines,
    write_text,
)

ODD = {"text": "one\u2028two\u2029three\x85four\x1cfive"}


def test_lines_survive_every_separator_but_the_newline(tmp_path):
    write_lines(tmp_path / "rows.jsonl", [ODD, {"n": 2}])
    assert list(read_lines(tmp_path / "rows.jsonl")) == [(1, ODD), (2, {"n": 2})]
    append_lines(tmp_path / "rows.jsonl", [ODD])
    assert whole_lines(tmp_path / "rows.jsonl") == ([ODD, {"n": 2}, ODD], 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1}\n{"a": 2\n', r"rows\.jsonl:2 is not JSON"),
        (b'{"a": 1}\n\n["a list"]\n', r"rows\.jsonl:3 holds a list, not an object"),
        (b'{"a": 1}\n{"a": "\xe9"}\n', r"rows\.jsonl:2 is not UTF-8 \(byte 0xe9 after .*\); save the file as UTF-8"),
        ('{"a": 1}\n'.encode("utf-16"), r"rows\.jsonl is written in UTF-16; save it as UTF-8"),
        (b'{"a": "\x00"}\n', r"rows\.jsonl:1 is not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"\n", r"rows\.jsonl:1 is not JSON"),
    ],
)
def test_what_is_no_row_is_named_by_file_and_line(tmp_path, content, words):
    (tmp_path / "rows.jsonl").write_bytes(content)
    with pytest.raises(FileError, match=words):
        list(read_lines(tmp_path / "rows.jsonl"))


def test_marks_and_line_ends_of_other_systems_are_no_part_of_a_row(tmp_path):
    content = '\ufeff{"a": 1}\r\n\r\n{"a": "\\u0000\u2029\x85\\u000b"}\r\n'
    (tmp_path / "rows.jsonl").write_bytes(content.encode())
    assert list(read_lines(tmp_path / "rows.jsonl")) == [(1, {"a": 1}), (3, {"a": "\0\u2029\x85\v"})]


def test_half_of_a_surrogate_pair_becomes_the_replacement_character_and_can_be_written(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"a": ["\\ud83d x", {"\\uDE00": "\\ud83d\\ude00"}]}\n')
    ((_, row),) = read_lines(tmp_path / "rows.jsonl")
    assert row == {"a": ["\ufffd x", {"\ufffd": "\U0001f600"}]}
    write_lines(tmp_path / "again.jsonl", [row])
    assert list(read_lines(tmp_path / "again.jsonl")) == [(1, row)]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.jsonl cannot be read: No such file"):
        list(read_lines(tmp_path / "gone.jsonl"))
    assert read_json(tmp_path / "gone.json") is None and whole_lines(tmp_path / "gone.jsonl") == ([], 0)


def test_rewind_keeps_what_is_wanted_and_drops_a_torn_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [{"stage": "cpt", "step": 9}, {"stage": "sft", "step": 0}, {"stage": "sft", "step": 1}]
    path.write_text("".join(json.dumps(x) + "\n" for x in lines) + '{"stage": "sf')
    rewind(path, lambda line: line["stage"] != "sft" or line["step"] < 1)
    assert [line for _, line in read_lines(path)] == lines[:2]
    rewind(tmp_path / "gone.jsonl", lambda line: True)
    assert not (tmp_path / "gone.jsonl").exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "kept", "old")

    def broken():
        yield "new"
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_text(tmp_path / "kept", broken())
    assert (tmp_path / "kept").read_text() == "old"


def test_everything_is_on_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    calls = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("sync"), real_sync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), real_replace(a, b))[1])
    write_text(tmp_path / "file", "text")
    assert calls == ["sync", "rename", "sync"]  # the file, its name, the folder that holds the name
    calls.clear()
    (tmp_path / "aside" / "inner").mkdir(parents=True)
    (tmp_path / "aside" / "inner" / "a").write_text("a")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "stale").write_text("")
    publish_folder(tmp_path / "aside", tmp_path / "old")
    assert calls == ["sync", "rename", "sync"]
    assert [p.name for p in (tmp_path / "old").rglob("*")] == ["inner", "a"]
