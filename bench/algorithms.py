"""Algorithms on the quickstart's reinforcement learning, from one preference checkpoint: what the reward does.

    python bench/algorithms.py RUN [--algorithms grpo ppo gspo …] [--seeds 0 1 2] [--set rl.steps=32]

RUN is a folder of a quickstart run with a preference checkpoint; where that is missing it is made there first
(`pretrain_sft/train.py --stage preference`). Each algorithm then trains from that model on that run's prompts, under
the recipe's RL section and whatever `--set` says, one after the other. `ALGORITHM:KEY=VALUE,…` sets keys for one entry
of the list alone, for instance `gspo:rl.mini_batches=2,rl.policy_loss.clip_high=0.01`. Each step has other prompts, so
a few steps say little; `--evaluate` measures on the same held-out rows (each run then prints its own table).

The table: mean reward of all sampled answers in the first and in the last fifth of the steps, each the mean over seeds
(with one seed ± the standard error over steps, with several the range over seeds), entropy and length at the end,
seconds a step. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from cluster.connection import connect
from dragoman.evaluation.report import read_run
from dragoman.pipeline.manifest import package_versions
from dragoman.pipeline.run import run
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import load_recipe

ROOT = Path(__file__).resolve().parent.parent
ALGORITHMS = ("grpo", "ppo", "gspo", "cispo", "reinforce_pp", "reinforce_pp_baseline", "dapo")


@dataclass(frozen=True)
class Curve:
    """What one algorithm did under one seed."""

    entry: str
    seed: int
    rewards: tuple[float, ...]
    """Mean over the answers sampled for each step"""
    entropy: float
    length: float
    step_s: float

    @property
    def fifth(self) -> int:
        """How many steps a fifth has."""
        return max(1, len(self.rewards) // 5)

    @property
    def first(self) -> float:
        """Mean reward of the first fifth."""
        return fmean(self.rewards[: self.fifth])

    @property
    def last(self) -> float:
        """Mean reward of the last fifth."""
        return fmean(self.rewards[-self.fifth :])


def make_parent(folder: Path) -> None:
    """The preference checkpoint, if it is not there."""
    if not (folder / "stages/preference/manifest.json").is_file():
        name = ["--set", f"name={folder.name}", "--output", str(folder.parent)]
        command = ["pretrain_sft/train.py", "--stage", "preference", "--no-evaluate", *name]
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True)


def trained(parent: Path, output: Path, entry: str, seed: int, overrides: Sequence[str], *, evaluated: bool) -> Curve:
    """One run of the RL stage; a finished one is read again, a stopped one goes on."""
    algorithm, _, own = entry.partition(":")
    name = f"{''.join(c if c.isalnum() else '-' for c in entry)}-{seed}"
    source = f"model={{path: '{parent / 'stages/preference/model'}', context: 256}}"
    data = f"data={{path: '{parent / 'data'}'}}"
    given = [source, data, "stages=[rl]", f"rl.algorithm={algorithm}", f"seed={seed}", f"name={name}", *overrides]
    recipe = load_recipe(None, [*given, *filter(None, own.split(","))])
    asyncio.run(run(recipe, RunFolder(output / name), evaluated=evaluated))
    lines = [line.values for line in read_run(output / name).metrics["rl"]]
    rewards = tuple(line["reward_mean"] for line in lines)
    last = lines[-max(1, len(lines) // 5) :]
    entropy, length = (fmean(line[key] for line in last) for key in ("entropy", "length_mean"))
    return Curve(entry, seed, rewards, entropy, length, fmean(line["step_s"] for line in lines))


def spread(curves: Sequence[Curve], *, last: bool) -> str:
    """Mean and range over seeds; of one seed its standard error over steps."""
    values = [100 * (curve.last if last else curve.first) for curve in curves]
    if len(values) > 1:
        return f"{fmean(values):.1f} ({min(values):.1f}–{max(values):.1f})"
    (curve,) = curves
    steps = curve.rewards[-curve.fifth :] if last else curve.rewards[: curve.fifth]
    error = f" ± {100 * stdev(steps) / len(steps) ** 0.5:.1f}" if len(steps) > 1 else ""
    return f"{values[0]:.1f}{error}"


def table_of(curves: Sequence[Curve]) -> Table:
    """One line an entry."""
    table = Table(title="reward × 100", title_justify="left")
    for column in ("algorithm", "first fifth", "last fifth", "change", "entropy", "tokens", "s a step"):
        table.add_column(column)
    for entry in dict.fromkeys(curve.entry for curve in curves):
        own = [curve for curve in curves if curve.entry == entry]
        change = 100 * fmean(curve.last - curve.first for curve in own)
        more = [f"{fmean(values):.2f}" for values in zip(*((c.entropy, c.length, c.step_s) for c in own), strict=True)]
        table.add_row(entry, spread(own, last=False), spread(own, last=True), f"{change:+.1f}", *more)
    return table


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    parser.add_argument("--output", type=Path, help="where the runs go; default: RUN-algorithms beside RUN")
    parser.add_argument("--evaluate", action="store_true", help="also on held-out rows, before and after, with tests")
    options = parser.parse_args()
    parent = options.run.resolve()
    output = (options.output or parent.with_name(f"{parent.name}-algorithms")).resolve()
    make_parent(parent)
    connect(ROOT)
    pairs = [(entry, seed) for seed in options.seeds for entry in options.algorithms]
    curves = [trained(parent, output, *pair, options.overrides, evaluated=options.evaluate) for pair in pairs]
    Console(width=140).print(table_of(curves))
    command = " ".join(["python bench/algorithms.py", *sys.argv[1:]])
    told = [{**asdict(curve), "first": curve.first, "last": curve.last} for curve in curves]
    print(json.dumps({"command": command, **package_versions(), "runs": told}))


if __name__ == "__main__":
    main()
