"""A recipe through all its stages with kill -9 of the driver once in each of them: what it costs, and what it loses.

    python bench/killed_run.py recipes/gemma3-270m.yaml --set form=full --set name=killed [--at 0.5] [--stages sft rl]

Submits the recipe as a job. When a stage has logged the share `--at` of its steps its driver is killed and the same
command is given again, until the run is finished. At the end: every stage's steps stand in `metrics.jsonl` once and in
order, no answer of reinforcement learning is logged twice, and no finished stage was built again. Last line: JSON.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.recipes import Recipe, load_recipe

ROOT = Path(__file__).resolve().parent.parent
LOOK_S = 1.0


@dataclass(frozen=True)
class Kill:
    """One kill and what came after it."""

    stage: str
    step: int
    """Logged when the driver was killed"""
    resumed_at: int
    """First step that was logged again"""
    seconds_until_step: float
    """From the kill to that step"""


def lines(path: Path) -> list[Mapping[str, Any]]:
    """Whole lines of a log that may be growing."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def steps_of(folder: Path, stage: str) -> list[int]:
    """Steps that a stage has logged, in order; several lines of one step count once."""
    return list(dict.fromkeys(line["step"] for line in lines(folder / "metrics.jsonl") if line["stage"] == stage))


def submit(recipe: str, overrides: Sequence[str], output: Path, log: Path) -> subprocess.Popen[bytes]:
    """The job, with its output behind that of earlier ones."""
    command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", recipe, "--output", str(output)]
    command += [word for override in overrides for word in ("--set", override)]
    with log.open("ab") as written:
        return subprocess.Popen(command, cwd=ROOT, stdout=written, stderr=subprocess.STDOUT)


def driver(name: str) -> psutil.Process | None:
    """The process that holds the run's lock."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "rl/train.py" in command and "-u" in command[:3] and f"name={name}" in command:
            return process
    return None


def until(job: subprocess.Popen[bytes], folder: Path, stage: str, step: int) -> bool:
    """Wait until a stage has logged a step; whether it has, or the job ended."""
    while job.poll() is None:
        if any(found >= step for found in steps_of(folder, stage)):
            return True
        time.sleep(LOOK_S)
    return False


def kills(recipe: Recipe, path: str, options: argparse.Namespace, log: Path) -> Iterator[Kill]:
    """Kill each stage once; the run is finished after the last."""
    folder: Path = options.output / recipe.name
    job = submit(path, options.set, options.output, log)
    for stage in options.stages or recipe.stages:
        steps = getattr(recipe, stage).steps
        step = max(1, int(options.at * steps))
        if not until(job, folder, stage, step):
            raise SystemExit(f"the job ended with {job.returncode} before {stage} had logged step {step}; see {log}")
        found = driver(recipe.name)
        if found is None:
            raise SystemExit(f"no driver of {recipe.name} found to kill in {stage}; see {log}")
        os.kill(found.pid, signal.SIGKILL)
        killed, last = time.monotonic(), max(steps_of(folder, stage))
        job.wait()
        job = submit(path, options.set, options.output, log)
        yield resumed(job, folder, stage, last, killed)
    if job.wait():
        raise SystemExit(f"the last job ended with {job.returncode}; see {log}")


def resumed(job: subprocess.Popen[bytes], folder: Path, stage: str, last: int, killed: float) -> Kill:
    """Wait for the first new step: the log is cut back to the checkpoint first, then it grows."""
    shortest = len(steps_of(folder, stage))
    while job.poll() is None:
        now = len(steps_of(folder, stage))
        if now > shortest:
            return Kill(stage, last, shortest, round(time.monotonic() - killed, 1))
        shortest = now
        time.sleep(LOOK_S)
    raise SystemExit(f"{stage} did not go on after the kill: the job ended with {job.returncode}")


def losses(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """What is not as an undisturbed run would have left it; empty when all is."""
    found: dict[str, Any] = {}
    for stage in recipe.stages:
        steps = steps_of(folder, stage)
        if stage in ("cpt", "sft", "lat", "preference", "rl") and steps != list(range(getattr(recipe, stage).steps)):
            found[stage] = f"steps {steps[:3]} … {steps[-3:]} ({len(steps)})"
    answers = [(line["number"], line["sample"]) for line in lines(folder / "samples.jsonl")]
    if len(set(answers)) < len(answers):
        found["samples"] = f"{len(answers) - len(set(answers))} answers logged twice"
    return found


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--set", action="append", default=[], help="as rl/train.py's; give the run a name")
    parser.add_argument("--output", type=Path, default=ROOT / "runs")
    parser.add_argument("--at", type=float, default=0.5, help="share of a stage's steps before the kill")
    parser.add_argument("--stages", nargs="+", help="stages to kill in; all by default")
    options = parser.parse_args()
    recipe = load_recipe(Path(options.recipe), options.set)
    log = options.output / f"{recipe.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    began, found = time.monotonic(), []
    for kill in kills(recipe, options.recipe, options, log):
        print(f"{kill.stage}: killed at step {kill.step}, going on at {kill.resumed_at} after "
              f"{kill.seconds_until_step:.0f} s", flush=True)  # fmt: skip
        found.append(kill)
    result = {
        "minutes": round((time.monotonic() - began) / 60, 1),
        "kills": [asdict(kill) for kill in found],
        "lost": losses(options.output / recipe.name, recipe),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
