"""The short recipe as a Ray job, and what its run folder must hold."""

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHORT = Path(__file__).parent / "short.yaml"
STAGES = ("base", "cpt", "sft", "lat", "preference", "rl")


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
    with urllib.request.urlopen(address, timeout=60) as reply:
        return reply.read().decode()


def trained_samples(folder, *, steps):
    """The samples log, once it is sure that every step trained on whole groups, at least 4, and on each only once."""
    samples = lines(folder / "samples.jsonl")
    assert len({(s["number"], s["sample"]) for s in samples}) == len(samples)
    groups = [x["groups_trained"] for x in lines(folder / "metrics.jsonl") if x["stage"] == "rl"]
    assert len(groups) == steps and min(groups) >= 4  # rl.groups_per_step; more where a wave had more that were usable
    for step, trained in enumerate(groups):
        of_step = Counter(s["number"] for s in samples if s["step"] == step and not s["filtered"])
        assert len(of_step) == trained and set(of_step.values()) == {4}  # rl.samples
    assert {s["step"] for s in samples} == set(range(steps))
    return samples
