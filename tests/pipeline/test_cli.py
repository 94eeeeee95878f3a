"""The `dragoman` command as people call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.pipeline.doctor import sandbox, shadowed_tests
from dragoman.recipes import load_recipe

ROOT = Path(__file__).resolve().parents[2]


def dragoman(*arguments, **options):
    command = [sys.executable, "-m", "dragoman.pipeline.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, **options)


def test_an_error_of_the_recipe_is_one_sentence():
    done = dragoman("stages", "--set", "rl.stepz=3")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("unknown key 'rl.stepz', did you mean 'rl.steps'?")


def test_dry_run_prints_recipe_and_placement():
    done = dragoman("stages", "--output", "/nonexistent/place")
    assert done.returncode == 0, done.stderr
    assert "output: /nonexistent/place/quickstart" in done.stdout
    assert f"groups_per_step: {load_recipe().rl.groups_per_step}\n" in done.stdout and "learner" in done.stdout
    assert "rl: grpo on 16 answers to each prompt: credit is the reward, standardised within its group;" in done.stdout
    assert not Path("/nonexistent").exists()


def sentence(done):
    """The one line of an error that a user can act on."""
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_every_known_error_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty holds no evaluation and no metrics yet" in sentence(dragoman("report", str(tmp_path / "empty")))
    assert "run folder" in sentence(dragoman("report", str(tmp_path / "gone")))
    assert "samples.jsonl" in sentence(dragoman("samples", str(tmp_path / "empty")))
    said = sentence(dragoman("translate", str(tmp_path / "empty"), "--from", "de", "--to", "fr", "Hallo"))
    assert "holds no model of stage 'rl'; made so far: none" in said
    (tmp_path / "rows.jsonl").write_text('{"id": "a"\n')
    assert "rows.jsonl" in sentence(dragoman("rewards", "check", str(tmp_path / "rows.jsonl")))
    assert "no.such.module" in sentence(dragoman("stages", "--set", "extensions=[no.such.module]"))


@pytest.mark.slow
def test_rewards_check_and_score_files(tmp_path):
    good = {
        "id": "a",
        "messages": [{"role": "user", "content": "2 + 5?"}],
        "rewards": [{"kind": "math", "args": {"gold": "7"}}],
    }
    rows, leaky = tmp_path / "rows.jsonl", tmp_path / "leaky.jsonl"
    rows.write_text(json.dumps(good) + "\n")
    done = dragoman("rewards", "check", str(rows))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 paid wrongly" in done.stdout
    (tmp_path / "lax.py").write_text("def lax(response: str) -> float:\n    return 1.0\n")
    leaky.write_text(json.dumps({**good, "gold_response": "7", "rewards": [{"kind": "lax"}]}) + "\n")
    done = dragoman("rewards", "check", str(leaky), "--reward", f"{tmp_path / 'lax.py'}:lax")
    assert done.returncode == 1 and "empty" in done.stdout
    answers = [{**good, "id": "x", "response": "\\boxed{7}"}, {**good, "id": "y", "response": "\\boxed{8}"}]
    rows.write_text("".join(json.dumps(row) + "\n" for row in answers))
    done = dragoman("rewards", "score", str(rows), "--out", str(tmp_path / "scores.jsonl"))
    assert done.returncode == 0, done.stdout + done.stderr
    scores = [json.loads(text) for text in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [(score["id"], score["reward"]) for score in scores] == [("x", 1.0), ("y", 0.0)]


def test_doctor_finds_isolation_and_no_shadowing_here():
    assert sandbox().fine, sandbox().found
    assert shadowed_tests().fine
