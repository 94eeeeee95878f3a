"""`dragoman translate` around its engine: what it refuses, what it says, and one run with a real one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dragoman.data.documents import Summary
from dragoman.data.rows import ParallelPair
from dragoman.errors import DragomanError
from dragoman.evaluation.suite_files.forms import asked
from dragoman.learner import ModelSettings
from dragoman.learner.model import build_model
from dragoman.pipeline.asking import prompt_form
from dragoman.pipeline.cli import app
from dragoman.pipeline.run_folder import RunFolderError
from dragoman.pipeline.translate_command import summary_lines
from dragoman.pipeline.translator import answer_room
from pretrain_sft.tokenizer import train_tokenizer

ROOT = Path(__file__).resolve().parents[2]


def called(*arguments, **options):
    return CliRunner().invoke(app, ["translate", *map(str, arguments)], **options)


def refused(*arguments, **options):
    error = called(*arguments, **options).exception
    assert isinstance(error, DragomanError), error
    return str(error)


def model_folder(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def test_what_cannot_be_translated_is_said_before_a_model_is_loaded(tmp_path):
    way = ("--from", "en", "--to", "de")
    assert "gone.tmx is no file" in refused(tmp_path, "gone.tmx", *way)
    assert "unknown language code 'xx'" in refused(tmp_path, "Hello", "--from", "en", "--to", "xx")
    assert "give a file in a folder that is there" in refused(tmp_path, "Hello", *way, "--out", tmp_path / "no" / "a")
    assert "holds no model of stage 'rl'" in refused(tmp_path, "Hello", *way)
    assert "standard input:2 is not utf-8" in refused(tmp_path, "-", *way, input=b"Hello\n\xff")
    (tmp_path / "a.po").write_text("")
    assert "leave it out" in refused(tmp_path, tmp_path / "a.po", *way, "--existing", "b.po")
    assert "accept it with --accept-licence Gemma" in refused("package:gemma3-270m", "Hello", *way)
    assert "cannot be loaded" in refused(tmp_path, "Hello", *way, "--extension", "no.such.module")
    model = model_folder(tmp_path / "model")
    assert "--prompt towel: write one of house, house_after, tower" in refused(
        model, "Hello", *way, "--prompt", "towel"
    )


def test_a_model_is_asked_as_its_run_trained_it_unless_a_form_is_named(tmp_path):
    trained = {"builder": "quickstart", "sizes": {"instruction": "after"}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"name": "mine", "data": trained}))
    pair = ParallelPair("en", "de", "Hello", "")
    after = "Hello\n\nTranslate the text above from English to German."
    assert asked(prompt_form(str(tmp_path), None), pair) == after
    assert asked(prompt_form(str(tmp_path / "gone"), "house_after"), pair) == after
    before = asked(prompt_form(str(tmp_path), "house"), pair)
    assert before.endswith("Hello") and before == asked(prompt_form("package:smollm2-135m", None), pair)
    assert prompt_form("x", "gemmax").stop == ("\n",)
    with pytest.raises(RunFolderError, match="asked chats: write house, house_after, tower, translategemma"):
        prompt_form("x", "gemmax", chat=True)


def test_a_file_with_nothing_to_ask_starts_no_engine(tmp_path, monkeypatch):
    monkeypatch.setattr("dragoman.pipeline.translator.read_shape", lambda folder: type("Shape", (), {"context": 64}))
    source, out = tmp_path / "a.json", tmp_path / "b.json"
    source.write_text('{"a": "42", "b": "{name}"}')
    model = model_folder(tmp_path / "model")
    done = called(model, source, "--from", "en", "--to", "de", "--out", out)
    assert done.exit_code == 0, done.exception
    assert out.read_text() == source.read_text() and "0 translated, 2 copied" in done.output


def test_the_summary_names_what_is_left_and_what_is_to_be_looked_at():
    lines = summary_lines(Summary(3, 1, 2, ["#a: too long"], [f"#{n}: lost x" for n in range(60)]), 1.25)
    assert lines[0] == "left untranslated: #a: too long" and lines[1] == "to be looked at: #0: lost x"
    assert lines[-2:] == [
        "to be looked at: 10 more",
        "3 translated, 1 copied, 2 finished before, 1 left, 60 marked, 1.2 s",
    ]


def test_an_answer_has_room_by_its_text_and_a_text_that_does_not_fit_has_none():
    assert answer_room(prompt=30, text=20, context=256, longest=None) == 92
    assert answer_room(prompt=30, text=20, context=256, longest=50) == 50
    assert answer_room(prompt=180, text=20, context=256, longest=None) == 76
    assert answer_room(prompt=221, text=20, context=256, longest=None) == 0
    assert answer_room(prompt=300, text=270, context=256, longest=8) == 0


@pytest.mark.slow
def test_a_catalog_goes_through_a_model_in_the_engine(tmp_path):
    tokenizer = train_tokenizer(["Translate the following text from English to German."] * 3, 320)
    model = build_model(ModelSettings(context=256), len(tokenizer), tokenizer.eos_token_id, 0, 0)
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    source, out = tmp_path / "a.json", tmp_path / "b.json"
    source.write_text(json.dumps({"a": "Hello {x}", "b": "42", "c": "long " * 400, "d": "Hello {x}"}))
    command = [sys.executable, "-m", "dragoman.pipeline.cli", "translate", str(tmp_path / "model"), str(source)]
    done = subprocess.run(
        [*command, "--from", "en", "--to", "de", "--out", str(out), "--max-tokens", "4"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout == "", done.stderr
    said = done.stderr.splitlines()
    # a model from random weights ends its answer or not, and keeps no placeholder
    assert "0 translated, 1 copied, 0 finished before, " in said[-1] and "translating" in done.stderr
    assert any(line.startswith("left untranslated: #c: too long") for line in said)
    assert sum("#a: " in line or "#d: " in line for line in said) == 2
    assert out.read_text() == source.read_text()
