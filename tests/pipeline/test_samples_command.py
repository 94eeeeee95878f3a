"""`dragoman samples`: what it shows of a samples.jsonl, finished or growing."""

import json
import re

import pytest
from rich.console import Console
from typer.testing import CliRunner

from dragoman.pipeline import samples_command
from dragoman.pipeline.cli import app
from dragoman.pipeline.run_folder import RunFolderError
from rl.samples_log import SamplesLog

LINE = {
    "step": 0, "task": "math", "id": "m1", "direction": None, "prompt": "What is 1 + 1?", "response": "\\boxed{2}",
    "tokens": 4, "reward": 1.0, "advantage": 0.5, "filtered": False,
    "components": [{"kind": "math", "value": 1.0, "status": "ok"}],
}  # fmt: skip
MARKED = {
    **LINE, "task": "translation", "id": "t1", "direction": "de-fr", "prompt": "Das Haus",
    "response": "la maison bleue", "tokens": 3, "reward": 0.25, "advantage": -0.5,
    "components": [{"kind": "numbers", "value": 0.25, "status": "ok",
                    "spans": [{"start": 10, "end": 15, "value": -5.0, "label": "addition"}]}],
}  # fmt: skip
TIMEOUT = {
    **LINE, "task": "code", "id": "c1", "prompt": "Write f", "response": "def f(): ...", "tokens": 9, "reward": None,
    "advantage": None, "filtered": True, "components": [{"kind": "code", "value": None, "status": "timeout"}],
}  # fmt: skip


def run_of(folder, *lines, torn=b""):
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "samples.jsonl").write_bytes(text.encode() + torn)
    return folder


def shown(folder, *options):
    """What is printed; RunFolderError is let through."""
    done = CliRunner().invoke(app, ["samples", str(folder), *options])
    if isinstance(done.exception, RunFolderError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setattr(samples_command, "console", Console(width=80))


def prompts(text):
    return [line.split(maxsplit=1)[1].strip() for line in text.splitlines() if line.startswith("prompt ")]


def test_the_last_step_is_shown_unless_another_is_asked_for(tmp_path):
    last = {**LINE, "step": 3, "prompt": "What is 2 + 2?", "response": "two\u2028lines", "reward": None}
    run_of(tmp_path, LINE, {**LINE, "step": 1, "prompt": "one"}, last)
    assert prompts(shown(tmp_path)) == ["What is 2 + 2?"]
    assert prompts(shown(tmp_path, "--step", "0")) == ["What is 1 + 1?"]
    assert prompts(shown(tmp_path, "--step", "0-1")) == ["What is 1 + 1?", "one"]
    assert len(prompts(shown(tmp_path, "--step", "all"))) == 3
    with pytest.raises(RunFolderError, match="--step first: write a step, a range such as 10-20, or all"):
        shown(tmp_path, "--step", "first")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--task", "math"], ["What is 1 + 1?"]),
        (["--direction", "de-fr"], ["Das Haus"]),
        (["--reward-min", "0.2", "--reward-max", "0.9"], ["Das Haus"]),
        (["--reward-max", "0.9"], ["Das Haus"]),
        (["--kind", "numbers"], ["Das Haus"]),
        (["--status", "timeout"], ["Write f"]),
        (["--kind", "math", "--status", "timeout"], []),
        (["--filtered"], ["Write f"]),
        (["--trained"], ["What is 1 + 1?", "Das Haus"]),
        (["--sort", "worst"], ["Das Haus", "What is 1 + 1?", "Write f"]),
        (["--sort", "best"], ["What is 1 + 1?", "Das Haus", "Write f"]),
        (["--sort", "longest"], ["Write f", "What is 1 + 1?", "Das Haus"]),
        (["--sort", "shortest", "--limit", "1"], ["Das Haus"]),
    ],
)
def test_filters_and_orders(tmp_path, options, wanted):
    assert prompts(shown(run_of(tmp_path, LINE, MARKED, TIMEOUT), *options)) == wanted


def test_a_status_that_no_reward_has_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match=r"--status late: write one of ok, "):
        shown(run_of(tmp_path, LINE), "--status", "late")


@pytest.mark.parametrize("torn", [b'{"step": 0, "task": "ma', '{"prompt": "é'.encode()[:-1]])
def test_a_growing_file_is_read_up_to_its_last_whole_line(tmp_path, torn):
    run_of(tmp_path, LINE, torn=torn)
    assert prompts(shown(tmp_path)) == ["What is 1 + 1?"]
    SamplesLog(tmp_path / "samples.jsonl").rewind(1)
    assert (tmp_path / "samples.jsonl").read_text().count("\n") == 1


def test_eighty_columns_are_enough(tmp_path):
    long = {**MARKED, "prompt": "Wort " * 60, "response": "mot " * 60, "id": "a-long-name-" * 4}
    text = shown(run_of(tmp_path, long, {**long, "step": 1}), "--step", "all") + shown(tmp_path, "--diff", "0", "1")
    assert max(map(len, text.splitlines())) <= 80
    assert min(len(line.split()) for line in text.splitlines() if "mot" in line and "'" not in line) >= 5


def test_spans_are_painted_and_told_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(samples_command, "console", Console(width=80, force_terminal=True, color_system="standard"))
    for text in (
        shown(run_of(tmp_path, MARKED, {**MARKED, "step": 1})),
        shown(tmp_path, "--diff", "0", "1"),
    ):
        assert re.search(r"\x1b\[[0-9;]*4;31mbleue", text)
        assert "'bleue': -5 addition" in re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_two_steps_of_the_same_prompt_stand_side_by_side(tmp_path):
    worse = {**MARKED, "response": "une maison", "reward": 0.05}
    later = {**MARKED, "step": 4, "response": "la maison", "reward": 1.0, "components": []}
    text = shown(run_of(tmp_path, LINE, MARKED, worse, later), "--diff", "0", "4")
    assert "1 prompts in both steps" in text and "1 + 1" not in text and "une maison" not in text
    assert re.search(r"step 0, mean of 2: 0.150 +step 4, mean of 1: 1.000", text)
    assert re.search(r"la maison bleue +la maison *\n", text)
    with pytest.raises(RunFolderError, match=r"3 share no such prompt; those of step 0 were .* again in: 4"):
        shown(tmp_path, "--diff", "0", "3")


def test_a_folder_without_rollouts_is_named(tmp_path):
    with pytest.raises(RunFolderError, match=r"samples\.jsonl holds no rollouts yet"):
        shown(tmp_path)
    with pytest.raises(RunFolderError, match="gone is missing"):
        shown(tmp_path / "gone")
