"""The quickstart's figures against its bars, read from finished runs (one for each seed).

    python bench/quickstart.py runs/quickstart [runs/quickstart-seed1 ...]

Nothing is trained here: `make quickstart` (and `make quickstart ARGS="--set seed=1 --set name=quickstart-seed1"`)
make the runs. Prints a table, with the spread over the seeds if there are several, which bars each run meets, then one
JSON line.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from dragoman.evaluation.comparison import compare
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.run_record import read_run

TESTED = ("math", "code", "constraints", "all translation")


def figures(folder: Path) -> dict[str, float]:
    """All figures of one run that a bar is set for."""
    run = read_run(folder)
    stages = {evaluation.stage: evaluation for evaluation in run.evaluations}
    made = {name: manifest["figures"] for name, manifest in run.manifests.items()}
    sft, lat, preference, rl = (stages[name] for name in ("sft", "lat", "preference", "rl"))
    found = {
        "off-target zero-shot, sft": _metric(sft, "translation_zero_shot", "off_target"),
        "off-target zero-shot, lat": _metric(lat, "translation_zero_shot", "off_target"),
        "chrF supervised, sft": _metric(sft, "translation_supervised", "chrf"),
        "chrF supervised, lat": _metric(lat, "translation_supervised", "chrf"),
        "preference accuracy, before": made["preference"]["heldout_accuracy_before"],
        "preference accuracy, after": made["preference"]["heldout_accuracy_after"],
        "preference accuracy, implicit reward": made["preference"]["heldout_reward_accuracy"],
        "chrF supervised, preference": _metric(preference, "translation_supervised", "chrf"),
        "chrF supervised, rl": _metric(rl, "translation_supervised", "chrf"),
        **{f"right sums, greedy, {s.stage}": _metric(s, "math", "accuracy") for s in (sft, lat, preference, rl)},
        "log-prob disagreement, largest": max(line["agreement"] for line in run.metrics["rl"]),
        "seconds of the stages": sum(manifest["seconds"] for manifest in run.manifests.values()),
    }
    for row in compare(preference, rl):
        if row.suite in TESTED and row.measure.startswith("reward"):
            found[f"rl {row.suite}: {row.measure}, change"] = row.test.difference
            found[f"rl {row.suite}: {row.measure}, p"] = row.test.p_greater
    return found


def bars(found: Mapping[str, float]) -> dict[str, bool]:
    """Which bars the figures of a run meet. Time and memory are measured around the run, not read from it."""
    changes = [found[f"rl {suite}: reward, sampled, change"] for suite in TESTED]
    raised = [found[f"rl {suite}: reward, sampled, p"] < 0.05 for suite in TESTED]
    return {
        "off-target after sft at least 20 %": found["off-target zero-shot, sft"] >= 0.20,
        "off-target after lat at most half of that": found["off-target zero-shot, lat"]
        <= found["off-target zero-shot, sft"] / 2,
        "lat: chrF down by 1 at most": found["chrF supervised, lat"] >= found["chrF supervised, sft"] - 1,
        "preference: implicit accuracy above one half": found["preference accuracy, implicit reward"] > 0.5,
        "preference: raw accuracy up": found["preference accuracy, after"] > found["preference accuracy, before"],
        "preference: chrF down by 1 at most": found["chrF supervised, preference"] >= found["chrF supervised, lat"] - 1,
        "rl: sampled reward up (p < 0.05) on three of four": sum(raised) >= 3,
        "rl: none down by more than 2 points": min(changes) >= -0.02,
        "log-probs agree to 1e-4": found["log-prob disagreement, largest"] <= 1e-4,
    }


def _metric(evaluation: Evaluation, suite: str, name: str) -> float:
    value = evaluation.suite(suite).metrics[name]
    if value is None:
        raise ValueError(f"{evaluation.stage}: {suite} has no {name}")
    return value


def main(folders: list[str]) -> None:
    """See the module note."""
    if not folders:
        raise SystemExit(__doc__)
    runs: Mapping[str, dict[str, Any]] = {Path(f).name: figures(Path(f)) for f in folders}
    spread = ("mean", "least", "greatest") if len(runs) > 1 else ()
    table = Table("figure", *runs, *spread)
    for name in next(iter(runs.values())):
        values = [run[name] for run in runs.values()]
        summary = (fmean(values), min(values), max(values)) if spread else ()
        table.add_row(name, *(f"{value:.4g}" for value in (*values, *summary)))
    met = {name: bars(run) for name, run in runs.items()}
    verdicts = Table("bar", *runs)
    for bar in next(iter(met.values())):
        verdicts.add_row(bar, *("met" if met[name][bar] else "MISSED" for name in runs))
    console = Console(width=120)
    console.print(table)
    console.print(verdicts)
    command = "python bench/quickstart.py " + " ".join(Path(f).name for f in folders)
    versions = {"python": platform.python_version()}
    print(json.dumps({"bench": "quickstart", "runs": runs, "bars": met, "versions": versions, "command": command}))


if __name__ == "__main__":
    main(sys.argv[1:])
