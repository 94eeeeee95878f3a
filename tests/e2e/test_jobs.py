"""The whole system as Ray jobs: every stage, its artefacts, reuse, a user's reward, kill -9 and resume.

One head and one finished run serve several tests; they run in the order of this file.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT = Path(__file__).parent / "short.yaml"
STAGES = ("base", "cpt", "sft", "lat", "preference", "rl")
CODE_FOLDERS = (
    "recipes",
    "corpora",
    "learner",
    "rollout",
    "rewards",
    "pretrain_sft",
    "rl",
    "evaluation",
    "pipeline",
    "cluster",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def head():
    from cluster.head import start_head

    found = start_head(cpus=2)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def environment(head):
    binaries = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "RAY_API_SERVER_ADDRESS": head.dashboard,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "DRAGOMAN_OUTPUT": "",
    }


def submit(head, output, *arguments, wait=True):
    """`python -m cluster.local_job -- rl/train.py SHORT ...`, as `make quickstart` calls it."""
    command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", str(SHORT), "--output", str(output)]
    process = subprocess.Popen(
        [*command, *arguments], cwd=ROOT, env=environment(head), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    return finish(process) if wait else process


def finish(process, timeout=600):
    text, _ = process.communicate(timeout=timeout)
    return process.returncode, text


def lines(path):
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def get(address):
    with urllib.request.urlopen(address, timeout=10) as reply:
        return reply.read().decode()


@pytest.fixture(scope="module")
def run(head, output):
    """One finished run, with what the dashboard and the metrics port said while RL was going on."""
    process = submit(head, output, wait=False)
    folder, seen = output / "short", {}
    deadline = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < deadline:
        metrics = folder / "metrics.jsonl"
        if "actors" not in seen and metrics.exists() and '"stage": "rl", "step": 2' in metrics.read_text():
            found = json.loads(get(f"{head.dashboard}/api/v0/actors?limit=200&detail=1"))
            seen["actors"] = {a["name"] for a in found["data"]["result"]["result"] if a["state"] == "ALIVE"}
        if "actors" in seen and "ray_dragoman_reward_mean" not in seen.get("metrics", ""):
            seen["metrics"] = get(f"http://127.0.0.1:{head.metrics_port}/metrics")
        time.sleep(0.3)
    code, text = finish(process)
    assert code == 0, text
    return folder, text, seen


def trained_samples(folder, *, steps):
    """The samples log, once it is sure that every step trained on whole groups, at least 4, and on each only once."""
    samples = lines(folder / "samples.jsonl")
    assert len({(s["number"], s["sample"]) for s in samples}) == len(samples)
    groups = [x["groups_trained"] for x in lines(folder / "metrics.jsonl") if x["stage"] == "rl"]
    assert len(groups) == steps and min(groups) >= 4  # rl.groups_per_step; more where a wave had more that were usable
    for step, trained in enumerate(groups):
        of_step = Counter(s["number"] for s in samples if s["step"] == step)
        assert len(of_step) == trained and set(of_step.values()) == {4}  # rl.samples
    assert {s["step"] for s in samples} == set(range(steps))
    return samples


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
        assert len(evaluation["suites"]) == 5
        steps = [x["step"] for x in lines(folder / "metrics.jsonl") if x["stage"] == stage]
        assert steps == list(range(len(steps))) and steps
        assert not (folder / "stages" / stage / "checkpoints").exists()
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report and 'src="http' not in report
    assert list((folder / "tensorboard").iterdir())


def test_every_rollout_is_logged_with_its_rewards_and_engine_and_learner_agree(run):
    folder, _, _ = run
    samples = trained_samples(folder, steps=6)
    for sample in samples:
        assert sample["step"] == sample["version"] == sample["version_last"]  # staleness 0
        assert {c["status"] for c in sample["components"]} <= {"ok", "not_applicable"}
        assert sample["reward"] is not None and sample["prompt"]
    agreement = [x["agreement"] for x in lines(folder / "metrics.jsonl") if x["stage"] == "rl"]
    assert len(agreement) == 6 and max(agreement) <= 1e-4


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


def driver(name):
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "rl/train.py" in command and f"name={name}" in command and "-u" in command[:3]:
            return process
    return None


def kill_at(head, output, name, stage, step):
    """Submit, wait until `stage` has logged `step`, kill -9 the driver."""
    process = submit(head, output, "--set", f"name={name}", wait=False)
    metrics = output / name / "metrics.jsonl"
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        if metrics.exists() and f'"stage": "{stage}", "step": {step},' in metrics.read_text():
            break
        time.sleep(0.05)
    found = driver(name)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    code, _ = finish(process)
    assert code != 0


def test_kill_9_of_the_driver_in_every_stage_loses_nothing_and_trains_nothing_twice(run, head, output):
    folder = output / "killed"
    finished = {}
    for stage, step in (("cpt", 6), ("sft", 25), ("lat", 4), ("preference", 4), ("rl", 3)):
        kill_at(head, output, "killed", stage, step)
        for done, text in finished.items():
            assert (folder / f"stages/{done}/manifest.json").read_text() == text, f"{done} was built again"
        assert not (folder / f"stages/{stage}/manifest.json").exists()
        finished = {
            done: (folder / f"stages/{done}/manifest.json").read_text() for done in STAGES[: STAGES.index(stage)]
        }
    code, text = submit(head, output, "--set", "name=killed")
    assert code == 0, text
    assert "rl: going on after step 4 of 6" in text or "rl: going on after step 2 of 6" in text
    for done, manifest in finished.items():
        assert (folder / f"stages/{done}/manifest.json").read_text() == manifest
    for stage in STAGES[1:]:
        steps = [x["step"] for x in lines(folder / "metrics.jsonl") if x["stage"] == stage]
        assert steps == list(range(len(steps))), stage
    trained_samples(folder, steps=6)
    # the interrupted run learned what the uninterrupted one did
    for stage in ("cpt", "sft", "lat", "preference"):
        losses = [[x["loss"] for x in lines(f / "metrics.jsonl") if x["stage"] == stage] for f in (run[0], folder)]
        assert losses[0] == losses[1], stage


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
