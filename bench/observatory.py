"""How often does the observatory cry wolf, and how soon does it see one?

    python bench/observatory.py [--simulations 1000] [--steps 120]

Made-up runs with known truth: seven development metrics every tenth step, nine indicators each step (shares of 128
answers, lengths), and a reward. In `null` all of them only fluctuate while the reward rises, as in a run that goes
well; `null, nothing moves` has no rising reward either. `null, wandering` breaks what the test assumes: each figure is
an AR(1) series (φ = 0.9). `leaky` has a copy rate that goes from 1 % to 60 % about the middle, `parting` a metric that
falls by 10 points while no indicator moves, measured every tenth or every fifth step. Prints the share of runs with any
alarm, with one before the half, and the median step of the first; the last line is JSON. Exit code 1 when a null has
more than 5 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from statistics import median

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from dragoman.evaluation.observatory.alarms import LEVEL, alarms_of
from dragoman.evaluation.observatory.indicators import HUBS, INDICATORS
from dragoman.evaluation.observatory.series import Series, series_of
from dragoman.evaluation.run_logs import StepLine

ANSWERS, EVERY = 128, 10
DISJOINT = ("supervised/adequacy", "supervised/off_target_second", "zero_shot/adequacy", "zero_shot/off_target_second",
            "math/accuracy", "code/pass_at_1", "constraints/strict")  # fmt: skip
RATES = {"copies": 0.01, "repetition": 0.004, "foreign_script": 0.02, "off_target_second": 0.05, "empty": 0.002,
         "numbers": 0.1, "markup": 0.05, "hubs": 0.08}  # fmt: skip
Random = np.random.Generator
Values = NDArray[np.float64]


def quiet(random: Random, steps: int, *, rises: bool = True, every: int = EVERY) -> list[Series]:
    """A run in which nothing gets worse; off-target shares are about 5 %, the other metrics about 60 %."""
    at = np.arange(steps)
    reward = (0.4 + 0.4 * at / steps if rises else 0.5) + random.normal(0, 0.03, steps)
    looks = at[::every]
    metrics = {f"development/{name}": (0.05 if "off" in name else 0.6) + random.normal(0, 0.015, len(looks))
               for name in DISJOINT}  # fmt: skip
    lines = [StepLine(float(step), {"reward_mean": float(value)}) for step, value in zip(at, reward, strict=True)]
    lines += [StepLine(float(step), {n: float(v[i]) for n, v in metrics.items()}) for i, step in enumerate(looks)]
    shares = {name: random.binomial(ANSWERS, rate, steps) / ANSWERS for name, rate in RATES.items()}
    shares["length"] = 1.1 + random.lognormal(-2, 0.6, steps)
    figures = {float(step): {name: float(value[step]) for name, value in shares.items()} for step in at}
    return series_of(lines, figures)


def nothing_moves(random: Random, steps: int) -> list[Series]:
    """Not even the reward."""
    return quiet(random, steps, rises=False)


def wandering(random: Random, steps: int) -> list[Series]:
    """Every figure remembers where it was."""
    return [one if one.role == "reward" else _changed(one, _wander(random, np.asarray(one.values)))
            for one in quiet(random, steps)]  # fmt: skip


def _wander(random: Random, values: Values) -> Values:
    noise, found = values - values.mean(), np.zeros(len(values))
    for at in range(1, len(values)):
        found[at] = 0.9 * found[at - 1] + noise[at] * (1 - 0.9**2) ** 0.5
    return np.asarray(values.mean() + found)


def leaky(random: Random, steps: int) -> list[Series]:
    """Copies pay."""
    rate = 0.01 + 0.59 / (1 + np.exp(-(np.arange(steps) - steps / 2) / (steps / 16)))
    copies = random.binomial(ANSWERS, rate) / ANSWERS
    return [_changed(one, copies) if one.name == "copies" else one for one in quiet(random, steps)]


def parting(random: Random, steps: int, every: int = EVERY) -> list[Series]:
    """The first metric falls by 10 points, steadily."""
    found = quiet(random, steps, every=every)
    return [_changed(one, np.asarray(one.values) - np.linspace(0, 0.1, len(one.values)))
            if one.name.endswith(DISJOINT[0]) else one for one in found]  # fmt: skip


def parting_measured_often(random: Random, steps: int) -> list[Series]:
    """The same, seen twice as often."""
    return parting(random, steps, EVERY // 2)


def _changed(one: Series, values: Values) -> Series:
    return replace(one, values=tuple(float(value) for value in values))


def simulate(make: Callable[[Random, int], list[Series]], asked: argparse.Namespace) -> dict[str, float | None]:
    """Shares of runs with an alarm, ever and before the half, and the median step of the first."""
    first = []
    for number in range(asked.simulations):
        found = alarms_of(make(np.random.default_rng([asked.seed, number]), asked.steps))
        first += [found[0].step] if found else []
    half = sum(step < asked.steps / 2 for step in first)
    return {"alarm": len(first) / asked.simulations, "before half": half / asked.simulations,
            "median step": median(first) if first else None}  # fmt: skip


RUNS = {"null": quiet, "null, nothing moves": nothing_moves, "null, wandering": wandering, "leaky": leaky,
        "parting": parting, "parting, measured every 5": parting_measured_often}  # fmt: skip
HELD = ("null", "null, nothing moves")


def main() -> int:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--only", nargs="*", choices=RUNS, default=list(RUNS))
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    assert set(RATES) | {"length"} == {one.name for one in (*INDICATORS, HUBS)}
    found = {name: simulate(make, asked) for name, make in RUNS.items() if name in asked.only}
    title = f"{asked.simulations} simulated runs of {asked.steps} steps"
    table = Table("run", "alarm", "before half", "median step", title=title, title_justify="left")
    for name, rates in found.items():
        step = rates["median step"]
        shares = (f"{100 * (rates[key] or 0):.1f} %" for key in ("alarm", "before half"))
        table.add_row(name, *shares, "–" if step is None else f"{step:g}")
    Console(width=100).print(table)
    holds = all((found[name]["alarm"] or 0) <= LEVEL for name in HELD if name in found)
    versions = {name: metadata.version(name) for name in ("numpy",)}
    print(json.dumps({"command": " ".join(sys.argv), "versions": versions, "rates": found, "holds": holds}))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
