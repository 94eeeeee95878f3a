"""The whole system as Ray jobs: every stage, its artefacts, reuse, a user's reward.

One head and one finished run serve several tests; they run in the order of this file.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.short_run import ROOT, SHORT, STAGES, environment, lines, submit, trained_samples

CODE_FOLDERS = ("dragoman", "recipes", "rewards", "pretrain_sft", "rl", "cluster")

pytestmark = pytest.mark.slow


def test_a_job_builds_every_stage_and_its_artefacts(run):
    folder, text, _ = run
    assert f"output: {folder}" in text.splitlines()
    for stage in STAGES:
        manifest = json.loads((folder / "stages" / stage / "manifest.json").read_text())
        assert manifest["stage"] == stage and manifest["packages"]["torch"]
        assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
            p.name for p in (folder / "stages" / stage / "model").iterdir()
        }
    for stage in STAGES[1:]:
        evaluation = json.loads((folder / "stages" / stage / "evaluation.json").read_text())
        assert len(evaluation["suites"]) == 6
        steps = [x["step"] for x in lines(folder / "metrics.jsonl") if x["stage"] == stage]
        assert steps == list(range(len(steps))) and steps
        assert not (folder / "stages" / stage / "checkpoints").exists()
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report and 'src="http' not in report
    assert sorted(p.name for p in (folder / "tensorboard").iterdir()) == sorted(STAGES[1:])
    rl = json.loads((folder / "stages" / "rl" / "evaluation.json").read_text())
    assert {"chrf", "direction", "math", "code", "constraints"} <= set(rl["shown"]["optimised"])
    assert "Which stage saw which direction" in report and "CLD2" in report


def test_the_head_runs_no_server_for_ray_client_which_would_take_it_down(run, head):
    commands = [" ".join(p.cmdline()) for p in psutil.Process(head.process.pid).children(recursive=True)]
    assert any("raylet" in command for command in commands)
    assert not [command for command in commands if "ray.util.client.server" in command]


def test_every_rollout_is_logged_with_its_rewards_and_engine_and_learner_agree(run):
    folder, _, _ = run
    samples = trained_samples(folder, steps=6)
    assert any(sample["filtered"] for sample in samples)
    for sample in samples:
        assert sample["step"] == sample["version"] == sample["version_last"]  # staleness 0
        assert {c["status"] for c in sample["components"]} <= {"ok", "not_applicable"}
        assert sample["reward"] is not None and sample["prompt"]
    agreement = [x["agreement"] for x in lines(folder / "metrics.jsonl") if x["stage"] == "rl"]
    assert len(agreement) == 6 and max(agreement) <= 1e-4
    kept = {
        x["stage"]
        for x in lines(folder / "metrics.jsonl")
        if x.get("ptx/loss", 0) > 0 and x.get("directions/loss", 0) > 0
    }
    assert kept == {"preference", "rl"}  # the quickstart holds what earlier stages taught


def test_actors_carry_role_and_run_and_figures_reach_the_metrics_port(run):
    _, _, seen = run
    for name in ("learner/0", "learner/1", "rollout/0", "reward-math/0"):
        assert f"dragoman/short/{name}" in seen["actors"]
    for figure in ("reward_mean", "step", "tokens_per_s", "policy_version", "reward_constraints"):
        assert f"ray_dragoman_{figure}{{" in seen["metrics"], figure
    assert 'run="short"' in seen["metrics"]


def test_models_open_with_transformers_as_they_are(run):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = run[0] / "stages" / "rl" / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 2 + 3?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    assert model.generate(**ids, max_new_tokens=3, do_sample=False).shape[1] > ids["input_ids"].shape[1]


def test_the_same_command_again_builds_nothing(run, head, output):
    folder = run[0]
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("model.safetensors")}
    code, text = submit(head, output)
    assert code == 0 and "everything is up to date" in text, text
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("model.safetensors")} == before


def test_a_users_reward_from_a_file_joins_the_run(run, head, output, tmp_path):
    (tmp_path / "mine.py").write_text(
        "def short_answers(response: str, messages: list, *, goal: int = 20) -> float:\n"
        "    return max(0.0, 1.0 - abs(len(response) - goal) / 100)\n"
    )
    code, text = submit(
        head, output, "--reward", f"{tmp_path / 'mine.py'}:short_answers", "--set", "stages=[cpt,sft,lat,rl]",
        "--set", "rl.steps=2",
    )  # fmt: skip
    assert code == 0, text
    for sample in trained_samples(run[0], steps=2):
        own = next(c for c in sample["components"] if c["kind"] == "short_answers")
        assert own["status"] == "ok"
        assert own["value"] == pytest.approx(max(0.0, 1.0 - abs(len(sample["response"]) - 20) / 100))
        assert len(sample["components"]) >= 2


def test_a_reward_that_fails_stops_the_run_and_shows_why(run, head, output, tmp_path):
    (tmp_path / "broken.py").write_text("def broken(response: str) -> float:\n    return float('nan')\n")
    code, text = submit(
        head, output, "--reward", f"{tmp_path / 'broken.py'}:broken", "--set", "stages=[cpt,sft,lat,rl]"
    )
    assert code != 0
    assert "reward checks failed" in text and "broken: error" in text
    assert not (run[0] / "stages" / "rl" / "manifest.json").exists()


def test_a_wrong_recipe_key_ends_the_job_with_one_sentence(head, output):
    code, text = submit(head, output, "--set", "rl.stepps=3")
    assert code == 1 and "did you mean 'rl.steps'" in text and "Traceback" not in text


def test_ray_job_submit_with_a_working_directory_from_a_copy(head, output, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (*CODE_FOLDERS, ".gitignore", ".rayignore", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    (copy / "tests" / "e2e").mkdir(parents=True)
    shutil.copy(SHORT, copy / "short.yaml")
    text = (copy / "short.yaml").read_text().replace("../../recipes/quickstart.yaml", "recipes/quickstart.yaml")
    (copy / "short.yaml").write_text(text)
    (copy / "runs" / "large").mkdir(parents=True)
    (copy / "runs" / "large" / "file").write_bytes(b"x" * 1000)
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ray"), "job", "submit", "--address", head.dashboard, "--working-dir", ".",
         "--", "python", "rl/train.py", "short.yaml", "--until", "cpt", "--output", str(output),
         "--set", "name=copied"],
        cwd=copy, env=environment(head), capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"output: {output / 'copied'}" in done.stdout
    assert (output / "copied" / "stages" / "cpt" / "evaluation.json").is_file()
