"""Hundreds of RL steps: does the memory of any process grow?

    python bench/soak.py [--steps 500] [--settle 50] [--set rl.staleness=1]

A job of our RL stage on the task of `bench.tiny_rl`, with snapshots. The private memory (USS) of every process of the
run is read once a step. `growth` is the worst process' median over the last tenth of the steps over its median in the
tenth behind `--settle`; a process that lived through less is left out and counted.
Last line: JSON with `growth` by role, and `worst`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.tiny_rl import ROOT, recipe, write_model, write_rows

ROLES = {
    "dragoman/tiny/learner": "learner", "ray::LearnerRank": "learner", "ray::RolloutWorker": "rollout worker",
    "dragoman/tiny/rollout": "rollout worker", "VLLM::": "engine", "EngineCore": "engine",
    "ray::RewardWorker": "reward worker", "rl/train.py": "driver",
}  # fmt: skip
Reading = dict[tuple[str, int], float]
"""MiB by role and process id"""


def role(process: psutil.Process) -> str | None:
    """What a process does for the run; None for others."""
    words = [process.name(), *process.cmdline()]
    if "cluster.local_job" in words:
        return None
    title = " ".join(words)
    return next((name for mark, name in ROLES.items() if mark in title), None)


def reading(job: psutil.Process) -> Reading:
    """Private memory of the run's processes now."""
    found: Reading = {}
    for process in job.children(recursive=True):
        try:
            name = role(process)
            if name is not None:
                found[name, process.pid] = process.memory_full_info().uss / (1 << 20)
        except psutil.NoSuchProcess:
            continue  # it ended between the two looks
    return found


def logged_step(folder: Path) -> int:
    """The last step in the run's log."""
    path = folder / "tiny" / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[-3:] if path.exists() else []
    steps = [json.loads(line)["step"] for line in lines if line.endswith("\n")]
    return max(steps, default=-1)


def watch(folder: Path, command: list[str]) -> dict[int, Reading]:
    """A reading for each step that was seen."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    found: dict[int, Reading] = {}
    job = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, env=environment)
    family = psutil.Process(job.pid)
    while job.poll() is None:
        step = logged_step(folder)
        if step >= 0 and step not in found:
            found[step] = reading(family)
        time.sleep(0.3)
    if job.returncode:
        raise SystemExit(f"the job ended with {job.returncode}; its output is above")
    return found


def growth(readings: Mapping[int, Reading], steps: int, settle: int) -> dict[str, dict[str, Any]]:
    """Of each role the process that grew most, between a tenth of the steps behind `settle` and the last tenth."""
    window = steps // 10
    early, late = range(settle, settle + window), range(steps - window, steps)
    found: dict[str, dict[str, Any]] = {}
    for key in {key for step in early for key in readings.get(step, {})}:
        before = [readings[step][key] for step in early if key in readings.get(step, {})]
        after = [readings[step][key] for step in late if key in readings.get(step, {})]
        if not after:
            continue
        rise = statistics.median(after) / statistics.median(before)
        if rise >= found.get(key[0], {"growth": 0})["growth"]:
            found[key[0]] = {"growth": round(rise, 4), "mib": by_tenths(readings, key, steps)}
    return found


def by_tenths(readings: Mapping[int, Reading], key: tuple[str, int], steps: int) -> list[float | None]:
    """The median MiB of a process in each tenth of the steps: a line that bends is no leak."""
    found: list[float | None] = []
    for start in range(0, steps, max(1, steps // 10)):
        values = [readings[s][key] for s in range(start, start + steps // 10) if key in readings.get(s, {})]
        found.append(round(statistics.median(values), 1) if values else None)
    return found


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--settle", type=int, default=50, help="steps before the first window")
    parser.add_argument("--set", action="append", default=[], help="as rl/train.py's")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_model(folder / "model")
        write_rows(folder / "rows")
        steps = {
            "rl": {"steps": options.steps, "checkpoint_every": 25, "samples": 4, "max_tokens": 32},
            # pages of the KV cache count when they are first written: with little of it that is soon over
            "rollout": {"kv_cache_gib": 0.1},
        }
        written = folder / "recipe.yaml"
        written.write_text(json.dumps(recipe(folder / "model", folder / "rows", options.steps, steps)))
        command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", str(written), "--output", temporary]
        readings = watch(folder, command + [word for value in options.set for word in ("--set", value)])
        seen = {key for found in readings.values() for key in found}
    roles = growth(readings, options.steps, options.settle)
    print(json.dumps({
        "growth": roles, "processes": len(seen), "readings": len(readings),
        "worst": max(found["growth"] for found in roles.values()),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
