"""On-policy distillation from a larger teacher against the student's own fine-tuning.

    make quickstart && python bench/distillation.py runs/quickstart [--teacher rl] [--seeds 0 1]

The student (bench/distillation.yaml) has a quarter of the quickstart's parameters. It is pretrained and fine-tuned on
the same data, which makes the same tokenizer, and then learns from the teacher's log-probs of its own answers to the
prompts of reinforcement learning; no reward teaches it anything, gates silence the teacher. The held-out suites are
answered before and after. Paired bootstrap over all their rows, clusters respected.

Takes about five minutes a seed on two cores. Prints a table, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.evaluation.report import RunRecord, read_run
from dragoman.evaluation.statistics import paired_bootstrap

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run, e.g. runs/quickstart")
    parser.add_argument("--teacher", default="rl", help="the stage whose model teaches")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    teacher = read_run(options.run)
    runs = {seed: train(options.run, options.teacher, seed) for seed in options.seeds}
    found = {seed: figures(run, evaluated(teacher, options.teacher)) for seed, run in runs.items()}
    show(found)
    command = f"python bench/distillation.py {options.run.name} --teacher {options.teacher} --seeds " + " ".join(
        map(str, options.seeds)
    )
    print(
        json.dumps({"bench": "distillation", "seeds": found, "python": platform.python_version(), "command": command})
    )


def train(run: Path, teacher: str, seed: int) -> RunRecord:
    """The student's run."""
    name = f"distillation-{seed}"
    sets = [
        f"name={name}", f"seed={seed}", "data.builder=null", f"data.path={(run / 'data').resolve()}",
        f"rl.distillation.teacher={(run / 'stages' / teacher / 'model').resolve()}",
    ]  # fmt: skip
    command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", "bench/distillation.yaml"]
    command += [part for one in sets for part in ("--set", one)] + ["--output", str(run.parent.resolve())]
    subprocess.run(command, cwd=ROOT, check=True)
    return read_run(run.parent / name)


def figures(run: RunRecord, teacher: Evaluation) -> dict[str, Any]:
    """Reverse KL at both ends of the stage, and the student's held-out rewards against its own fine-tuning's."""
    steps = [line.values["reverse_kl"] for line in run.metrics["rl"]]
    fifth = max(1, len(steps) // 5)
    before, after = evaluated(run, "sft"), evaluated(run, "rl")
    return {
        "reverse_kl": {"first": fmean(steps[:fifth]), "last": fmean(steps[-fifth:])},
        "reward_greedy": compared(before, after, lambda o: o.reward),
        "reward_sampled": compared(before, after, lambda o: o.sampled_reward),
        "teacher_reward_greedy": fmean(o.reward for o in teacher.outcomes if o.reward is not None),
    }


def evaluated(run: RunRecord, stage: str) -> Evaluation:
    """The evaluation of a stage."""
    found = run.evaluation(stage)
    if found is None:
        raise SystemExit(f"error: {run.name} has no evaluation of {stage}; run `make quickstart` first")
    return found


def compared(before: Evaluation, after: Evaluation, value: Callable[[Outcome], float | None]) -> dict[str, float]:
    """The paired test over all rows of all suites."""
    first = {o.id: value(o) for o in before.outcomes}
    pairs = [(first[o.id], value(o), o.cluster or o.id) for o in after.outcomes]
    known = [(a, b, cluster) for a, b, cluster in pairs if a is not None and b is not None]
    one, other, clusters = zip(*known, strict=True)
    return asdict(paired_bootstrap(one, other, clusters=clusters))


def show(found: dict[int, dict[str, Any]]) -> None:
    """One row a seed."""
    table = Table("seed", "reverse KL", "greedy reward", "change, 95 %", "sampled reward", "change, 95 %", "teacher")
    for seed, f in found.items():
        kl, greedy, sampled = f["reverse_kl"], f["reward_greedy"], f["reward_sampled"]
        table.add_row(
            str(seed), f"{kl['first']:.3f} → {kl['last']:.3f}",
            *(text for t in (greedy, sampled) for text in (
                f"{t['before']:.3f} → {t['after']:.3f}", f"{t['difference']:+.3f} ({t['low']:+.3f}, {t['high']:+.3f})"
            )), f"{f['teacher_reward_greedy']:.3f}",
        )  # fmt: skip
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
