"""The quickstart's metrics over several seeds: mean and range after each stage, and what rose or fell beyond chance.

    python bench/quickstart.py runs/quickstart runs/seed1 runs/seed2

Nothing is trained here: `make quickstart` and `make quickstart ARGS="--set seed=1 --set name=seed1"` make the runs.
Prints Markdown tables, then one line of JSON. Every stage is compared with its parent on the same held-out rows: paired
bootstrap, p two-sided and corrected for the number of suites (Benjamini and Hochberg), each seed for itself. † marks
metrics that training optimised; supervised, parallel-only and zero-shot directions stand apart.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.evaluation.comparison import columns_of, compare, is_significant
from dragoman.evaluation.report import RunRecord, read_run

MEASURES = ("reward, sampled", "adequacy", "chrF")


def spread(values: Sequence[float | None]) -> str:
    """Mean and range."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    if len(known) == 1:
        return f"{known[0]:.1f}"
    return f"{fmean(known):.1f} ({min(known):.1f}–{max(known):.1f})"


def stage_rows(runs: Sequence[RunRecord]) -> Iterator[list[str]]:
    """One row a metric: its values after each stage, over the seeds."""
    evaluations = runs[0].evaluations
    yield ["suite", "metric", *(e.stage for e in evaluations)]
    for column in columns_of(evaluations):
        scale = 100 if column.unit == "percent" else 1
        cells = []
        for place in range(len(evaluations)):
            found = [column.value(run.evaluations[place]) for run in runs]
            cells.append(spread([None if value is None else scale * value for value in found]))
        yield [column.group, column.label(evaluations), *cells]


def change_rows(runs: Sequence[RunRecord]) -> Iterator[list[str]]:
    """One row a stage, suite and measure that moved beyond chance on some seed: in how many it rose and fell."""
    yield ["stage", "suite", "measure", "change, each seed", "beyond chance"]
    tests = [[compare(*pair) for pair in pairwise(run.evaluations)] for run in runs]
    for place, evaluation in enumerate(runs[0].evaluations[1:]):
        for rows in zip(*(seed[place] for seed in tests), strict=True):
            up = sum(is_significant(row) and row.test.difference > 0 for row in rows)
            down = sum(is_significant(row) and row.test.difference < 0 for row in rows)
            if rows[0].measure in MEASURES and up + down:
                scale, said = 1 if rows[0].measure == "chrF" else 100, []
                said += [f"up on {up} of {len(rows)}"] if up else []
                said += [f"**down on {down} of {len(rows)}**"] if down else []
                changes = ", ".join(f"{scale * row.test.difference:+.1f}" for row in rows)
                yield [evaluation.stage, rows[0].suite, rows[0].measure, changes, "; ".join(said)]


def markdown(rows: Iterator[list[str]]) -> str:
    """A table with the first row as its head."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + "---|" * head.count(" | ") + "---|", *body])


def facts(run: RunRecord) -> dict[str, object]:
    """What stands in manifests and metrics beside the evaluations."""
    made = {name: manifest["metrics"] for name, manifest in run.manifests.items()}
    names = ("pairs", "heldout_pairs", "heldout_accuracy_before", "heldout_accuracy_after", "heldout_reward_accuracy")
    return {
        **{name: made["preference"][name] for name in names},
        "log-prob disagreement, largest": max(line.values.get("agreement", 0.0) for line in run.metrics["rl"]),
        "seconds of the stages": sum(manifest["seconds"] for manifest in run.manifests.values()),
    }


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    runs = [read_run(folder) for folder in parser.parse_args().runs]
    print(markdown(stage_rows(runs)), end="\n\n")
    print(markdown(change_rows(runs)), end="\n\n")
    command = "python bench/quickstart.py " + " ".join(run.name for run in runs)
    told = {run.name: facts(run) for run in runs}
    print(json.dumps({"runs": told, "python": platform.python_version(), "command": command}))


if __name__ == "__main__":
    main()
