"""A real model's run against the bars that matter to its users, and every stage's figures.

    make real-gemma ARGS="--set model.accept_licences=[Gemma] --set name=gemma"
    python bench/real_model.py runs/gemma [--control runs/gemma-control]

Nothing is trained here. Prints the stages side by side (as bench/quickstart.py does) and one line of JSON: chrF and the
metric that no stage optimised, after the last stage and at the base model; off-target of zero-shot directions (and the
control's with alpha 0, if there is one); what moved beyond chance by reinforcement learning and over the whole chain,
on the same held-out rows (paired bootstrap, p two-sided, corrected for the number of suites); general skill; agreement
of engine and learner; minutes and memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.quickstart import markdown, stage_rows
from dragoman.evaluation.comparison import compare, is_significant
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.report import RunRecord, read_run

SUPERVISED, ZERO_SHOT = "translation_supervised", "translation_zero_shot"
GENERAL = {"code": "pass_at_1", "math": "accuracy", "constraints": "strict", "human_eval": "pass_at_1"}


def after(run: RunRecord, stage: str) -> Evaluation | None:
    """The evaluation of a stage, if there is one."""
    return next((found for found in run.evaluations if found.stage == stage), None)


def metric(evaluation: Evaluation | None, suite: str, name: str) -> float | None:
    """A suite's figure after a stage."""
    if evaluation is None:
        return None
    found = next((s for s in evaluation.suites if s.name == suite), None)
    value = None if found is None else found.metrics.get(name)
    return None if value is None else round(value, 3)


def change(run: RunRecord, suite: str, name: str) -> dict[str, float | None]:
    """A suite's figure at the base model and after the last stage."""
    first, last = run.evaluations[0], run.evaluations[-1]
    return {first.stage: metric(first, suite, name), last.stage: metric(last, suite, name)}


def raised(before: Evaluation, later: Evaluation) -> dict[str, list[str]]:
    """Suites and measures that moved beyond chance."""
    rows = [row for row in compare(before, later) if is_significant(row)]
    return {
        side: [f"{row.suite}, {row.measure} {row.test.difference:+.3g}" for row in rows
               if (row.test.difference > 0) == (side == "up")]
        for side in ("up", "down")
    }  # fmt: skip


def findings(run: RunRecord, control: RunRecord | None) -> dict[str, object]:
    """The figures of the last line."""
    stages, manifests = [e.stage for e in run.evaluations], run.manifests.values()
    parent = stages[stages.index("rl") - 1] if "rl" in stages else None
    peaks = [sum(m["metrics"]["peak_memory_bytes"].values()) for m in manifests if "peak_memory_bytes" in m["metrics"]]
    before, rl = after(run, parent or ""), after(run, "rl")
    agreement = [line.values["agreement"] for line in run.metrics.get("rl", ()) if "agreement" in line.values]
    result: dict[str, object] = {
        "chrf": change(run, SUPERVISED, "chrf"), "adequacy": change(run, SUPERVISED, "adequacy"),
        "zero_shot_chrf": change(run, ZERO_SHOT, "chrf"),
        "zero_shot_off_target": {s: metric(after(run, s), ZERO_SHOT, "off_target") for s in stages},
        "general": {suite: change(run, suite, name) for suite, name in GENERAL.items()},
        "rl": raised(before, rl) if before and rl else None,
        "against_base": raised(run.evaluations[0], run.evaluations[-1]),
        "largest_logprob_difference": max(agreement, default=None),
        "training_minutes": round(sum(m["seconds"] for m in manifests) / 60, 1),
        "actors_peak_gib": round(max(peaks, default=0) / (1 << 30), 1),
    }  # fmt: skip
    if control is not None:
        result["control_zero_shot_off_target"] = metric(after(control, "lat"), ZERO_SHOT, "off_target")
    return result


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--control", type=Path, help="the same run with lat.alpha=0, up to lat")
    options = parser.parse_args()
    run = read_run(options.run)
    print(markdown(stage_rows([run])), end="\n\n")
    print(json.dumps(findings(run, read_run(options.control) if options.control else None)))


if __name__ == "__main__":
    main()
