"""kill -9 of the driver in every stage: the same command again finishes, and nothing is trained twice."""

import os
import signal
import time

import psutil
import pytest

from tests.e2e.short_run import STAGES, finish, lines, submit, trained_samples

pytestmark = pytest.mark.slow


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
    deadline = time.monotonic() + 900
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


def test_kill_9_of_the_driver_in_every_stage_loses_nothing_and_trains_nothing_twice(untouched, head, output):
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
        losses = [[x["loss"] for x in lines(f / "metrics.jsonl") if x["stage"] == stage] for f in (untouched, folder)]
        assert losses[0] == losses[1], stage
