"""Kill and stop the processes of a small RL run at random moments, and compare it with one that was left alone.

    python bench/kill_and_resume.py [--kills 12] [--seed 0] [--staleness 1] [--output FOLDER]

The tests' short recipe is trained up to RL once; RL then runs undisturbed, and again as often as it takes for all
kills, a few in each run. A kill is a role, a signal (SIGKILL, or SIGSTOP for a hang) and a moment, drawn from the seed:
rollout actor, engine, reward actor, learner rank, an engine in a weight sync, driver. After the driver's death the same
command is given again. With staleness 0 metrics, samples and weights must be the undisturbed run's to the last bit;
with more, every prompt must be there once. Snapshots are read after each kill, and processes are counted after the end.
The last line is JSON; exit code 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "bench"))

from same_run import differences, lines, trained  # noqa: E402
from watched_job import Job, ended, finish, title, wait_for  # noqa: E402

from rl.snapshot import FILE  # noqa: E402

BACK = {
    "rollout": "another worker serves",
    "engine": "another worker serves",
    "sync": "another worker serves",
    "learner": "learner: back where it was",
}
"""What the console says when a role is whole again; a reward actor is seen by its process"""
BARS_S = {"reward": 5.0, "rollout": 30.0, "engine": 30.0, "sync": 30.0}


@dataclass(frozen=True)
class Kill:
    """One process to end or stop."""

    role: str
    stop: bool
    step: int
    """Not before this step has been logged"""
    delay_s: float


def steps_logged(run: Path) -> int:
    """How many RL steps stand in the metrics."""
    file = run / "metrics.jsonl"
    return sum('"stage": "rl"' in line for line in file.read_text().splitlines()) if file.exists() else 0


def in_sync(job: Job) -> bool:
    """Whether the learner is sending weights, by the call that stands in its title."""
    return any("send_bucket" in title(p) or "buckets" in title(p) for p in job.of_role("learner"))


def strike(job: Job, run: Path, kill: Kill, random: Random) -> dict[str, object]:
    """Do it at its moment, and measure until the role is whole again; empty if the run was over before."""
    if not wait_for(lambda: steps_logged(run) >= kill.step, job):
        return {}
    if kill.role == "sync":
        wait_for(lambda: in_sync(job), job, 30, 0.001)
    else:
        time.sleep(kill.delay_s)
    if kill.role == "driver":
        return strike_driver(job)
    before = job.of_role(kill.role)
    if job.over or not before:
        return {}
    victim = random.choice(before)
    at = time.monotonic()
    victim.send_signal(signal.SIGSTOP if kill.stop else signal.SIGKILL)
    if kill.role in BACK:
        wait_for(lambda: job.said(BACK[kill.role], at) is not None, job)
        back = job.said(BACK[kill.role], at)
    else:
        known = {p.pid for p in before}
        found = wait_for(lambda: any(p.pid not in known for p in job.of_role("reward")), job, 60)
        back = time.monotonic() if found else None
    return {"role": kill.role, "stop": kill.stop, "step": kill.step, "back_s": back and round(back - at, 1)}


def strike_driver(job: Job) -> dict[str, object]:
    """kill -9 of the driver; seconds until everything below it is gone."""
    below, at = job.below(), time.monotonic()
    job.process.kill()
    job.process.wait()
    gone = ended(below, 60)
    return {"role": "driver", "stop": False, "orphans_gone_s": round(time.monotonic() - at, 1) if gone else None}


def torn_snapshots(run: Path) -> list[str]:
    """Published snapshots that cannot be read."""
    found = []
    for folder in run.glob("stages/rl/checkpoints/step_*"):
        if folder.suffix == ".tmp":
            continue
        try:
            pickle.loads((folder / FILE).read_bytes())
            json.loads((folder / "sharding.json").read_text())
        except FileNotFoundError:
            if folder.exists():  # else a newer one has just replaced it
                found.append(folder.name)
        except Exception as error:
            found.append(f"{folder.name}: {error!r}")
    return found


def disturbed(output: Path, settings: list[str], kills: Sequence[Kill], random: Random) -> Iterator[dict[str, object]]:
    """One run to its end, through some kills; what each of them did."""
    run = output / next(s for s in settings if s.startswith("name="))[5:]
    job = Job(output, settings, "rl")
    for kill in kills:
        found = strike(job, run, kill, random)
        if found:
            yield {**found, "torn": torn_snapshots(run)}
        if kill.role == "driver" and found:
            job = Job(output, settings, "rl")
    finish(job)


def different(whole: Path, hurt: Path) -> list[str]:
    """Where an on-policy run differs from the undisturbed one; what it says of restarts is none."""
    found = []
    for name in ("metrics.jsonl", "samples.jsonl"):
        a, b = ([x for x in lines(run / name) if x.get("stage", "rl") == "rl"] for run in (whole, hurt))
        found += list(differences(trained(a) if name[0] == "s" else a, trained(b) if name[0] == "s" else b, name))
    model = "stages/rl/model/model.safetensors"
    one, other = (hashlib.sha256((run / model).read_bytes()).hexdigest() for run in (whole, hurt))
    return found + ([] if one == other else ["weights"])


def lost_or_twice(run: Path) -> list[str]:
    """Prompts of an off-policy run that are missing, or were trained on more than once; steps likewise."""
    samples = lines(run / "samples.jsonl")
    count = Counter((s["number"], s["sample"]) for s in samples)
    numbers = {s["number"] for s in samples}
    found = [f"answer {key} {n} times" for key, n in count.items() if n > 1]
    found += [f"prompt {n} is missing" for n in sorted(set(range(max(numbers) + 1)) - numbers)]
    steps = [x["step"] for x in lines(run / "metrics.jsonl") if x["stage"] == "rl" and "reward_mean" in x]
    return found + ([] if steps == list(range(len(steps))) else [f"steps {steps}"])


def draw(kills: int, roles: Sequence[str], steps: int, each: int, random: Random) -> list[list[Kill]]:
    """Kills by run: roles in turn, half of them hangs where a role can hang, moments spread over the run."""
    drawn = []
    for number in range(kills):
        role = roles[number % len(roles)]
        step = 1 + (number % each) * max(1, (steps - 2) // each)
        drawn.append(Kill(role, role not in ("driver", "sync") and random.random() < 0.5, step, random.random()))
    return [drawn[i : i + each] for i in range(0, kills, each)]


def main() -> int:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--each", type=int, default=3, help="kills in a run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--staleness", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60, help="enough that a run outlasts its replacements")
    parser.add_argument("--roles", nargs="+", default=["rollout", "learner", "reward", "sync", "driver", "engine"])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--parents", type=Path, help="a run of the short recipe that has every stage before RL")
    options = parser.parse_args()
    output = options.output or Path(tempfile.mkdtemp(prefix="dragoman-kills-"))
    common = [
        f"rl.steps={options.steps}", f"rl.staleness={options.staleness}",
        "rl.correction.kind=truncate", f"rollout.workers={options.workers}", f"learner.ranks={options.ranks}",
        "rollout.kv_cache_gib=0.1", "rollout.health_deadline_s=8", "learner.health_deadline_s=8",
        "learner.max_restarts=20", "rl.watchdog_s=60",
    ]  # fmt: skip
    parents = options.parents or output / "parents"
    if not (parents / "stages/preference/manifest.json").exists():
        finish(Job(output, [*common, f"name={parents.name}"], "preference"))
    plan = draw(options.kills, options.roles, options.steps, options.each, Random(options.seed))
    found: list[dict[str, object]] = []
    wrong: dict[str, list[str]] = {}
    for number, kills in enumerate([[], *plan]):
        name = f"run{number}" if number else "undisturbed"
        if not kills and (output / name / "stages/rl/manifest.json").exists():
            continue  # of an earlier call
        shutil.rmtree(output / name, ignore_errors=True)
        shutil.copytree(parents, output / name)
        for done in disturbed(output, [*common, f"name={name}"], kills, Random(f"{options.seed}/{number}")):
            found.append(done)
            print(json.dumps(done), flush=True)
        on_policy = different(output / "undisturbed", output / name) if options.staleness == 0 else []
        wrong[name] = on_policy + lost_or_twice(output / name)
        print(f"{name}: {len(wrong[name])} differences {wrong[name][:3]}", flush=True)
    return report(found, wrong, options.seed)


def report(found: Sequence[dict[str, object]], wrong: dict[str, list[str]], seed: int) -> int:
    """The JSON line, and whether every bar holds."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for kill in found:
        if isinstance(kill.get("back_s"), float):
            seconds[f"{kill['role']} {'stopped' if kill['stop'] else 'killed'}"].append(kill["back_s"])  # type: ignore
    slow = [name for name, all_ in seconds.items() if max(all_) > BARS_S.get(name.split()[0], 1e9)]
    unseen = [kill for kill in found if kill["role"] != "driver" and kill.get("back_s") is None]
    torn = [name for kill in found for name in kill["torn"]]  # type: ignore[attr-defined]
    differ = {name: all_[:5] for name, all_ in wrong.items() if all_}
    print(json.dumps({
        "kills": len(found), "different": differ, "torn": torn, "back_s": dict(seconds), "over the bar": slow,
        "not seen back": len(unseen), "orphans_gone_s": [k["orphans_gone_s"] for k in found if k["role"] == "driver"],
        "seed": seed, "python": platform.python_version(), "command": "python bench/kill_and_resume.py "
        + " ".join(sys.argv[1:]),
    }))  # fmt: skip
    return 1 if differ or torn else 0


if __name__ == "__main__":
    sys.exit(main())
