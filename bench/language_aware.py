"""Language-aware tuning on the quickstart's zero-shot directions, against the same tuning without unlikelihood.

    python bench/language_aware.py OUTPUT [--seeds 0 1 2] [--rules keep_source other_instruction] [--set lat.steps=40]

For each seed a quickstart is pretrained and fine-tuned (`cpt`, `sft`), and from that model the `lat` stage is run with
each rule for the wrong instruction (`lat.negatives`), and once as the control: `alpha` 0, all else equal, so that what
more steps on the same rows do is not taken for what the method does.

The recipe puts the instruction behind the text, which alone makes a model heed it better (arXiv 2308.12097): the
control is that free baseline, and what it is worth is seen beside the same with the instruction before the text
(`data.sizes.instruction: before`, in training and in the suites, a parent of its own), without unlikelihood and with
the first rule.

All models translate the same held-out texts in directions that no stage saw (suite `translation_zero_shot`). Answers
in another language than asked are counted by both identifiers, of which no stage optimises the second (CLD2); chrF
stands beside them, for a model that writes nothing is never off target by much, and so does chrF of the supervised
directions, for the tuning must not cost them.

What is finished in OUTPUT is read again, what was stopped goes on. One core: `--set learner.ranks=1`. The last line is
JSON: `off_target_ratio` (the first rule) and `control_off_target_ratio`, and with the instruction before the text
`before_off_target_ratio` and `before_control_off_target_ratio`, means over seeds in per cent of answers; and
`of_its_control`: each tuned arm as a share of `alpha` 0 on the same data, with the difference in supervised chrF.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from cluster.connection import connect
from dragoman.evaluation.outcomes import Evaluation
from dragoman.pipeline.manifest import package_versions
from dragoman.pipeline.run import run
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import load_recipe

ROOT = Path(__file__).resolve().parent.parent
SUITE, SUPERVISED = "translation_zero_shot", "translation_supervised"
COLUMNS = ("off_target", "off_target_second", "chrf", "supervised_chrf")
PARENT, CONTROL, BEFORE = "fine-tuned", "alpha 0", "instruction before: "


@dataclass(frozen=True)
class Measured:
    """One model on the zero-shot directions, in per cent of answers and points of chrF."""

    arm: str
    seed: int
    off_target: float
    off_target_second: float
    """By the identifier that no stage optimises"""
    chrf: float
    answers: int
    supervised_chrf: float
    """Of the directions that all stages saw, which the tuning must not cost"""


def measured(folder: Path, arm: str, seed: int) -> Measured:
    """What the evaluation of a stage says."""
    evaluation = Evaluation.load(folder)
    suite, supervised = evaluation.suite(SUITE), evaluation.suite(SUPERVISED)
    if suite is None or supervised is None:
        raise SystemExit(f"{folder} lacks {SUITE} or {SUPERVISED}; leave the recipe's data and evaluation as they are")
    values = {key: suite.metrics[key] for key in ("off_target", "off_target_second", "chrf", "n")}
    missing = [key for key, value in values.items() if value is None]
    if missing:
        raise SystemExit(f"{folder}: {missing[0]} of {SUITE} could not be computed")
    first, second, chrf, count = (float(value or 0) for value in values.values())
    kept = float(supervised.metrics["chrf"] or 0)
    return Measured(arm, seed, 100 * first, 100 * second, chrf, int(count), kept)


def trained(output: Path, name: str, given: Sequence[str]) -> Path:
    """The run folder of a recipe, its stages built and evaluated."""
    recipe = load_recipe(None, [f"name={name}", *given])
    asyncio.run(run(recipe, RunFolder(output / name), evaluated=True))
    return output / name


def seed_results(output: Path, seed: int, rules: Sequence[str], overrides: Sequence[str]) -> list[Measured]:
    """The fine-tuned model and each arm, with the instruction as the recipe has it, then before the text."""
    given = [f"seed={seed}", *overrides]
    before = [*given, "data.sizes.instruction=before"]
    return [*_arms(output, seed, "", rules, given), *_arms(output, seed, BEFORE, rules[:1], before)]


def _arms(output: Path, seed: int, prefix: str, rules: Sequence[str], given: Sequence[str]) -> list[Measured]:
    """What `prefix` stands for is what `given` says."""

    def name(arm: str) -> str:
        return re.sub(r"[^a-z0-9]+", "-", f"{prefix}{arm} {seed}")

    parent = trained(output, name(PARENT), ["stages=[cpt, sft]", *given])
    found = [measured(parent / "stages/sft", prefix + PARENT, seed)]
    settings = {CONTROL: "lat.alpha=0", **{rule: f"lat.negatives={rule}" for rule in rules}}
    for arm, setting in settings.items():
        folder = trained(output, name(arm), [*given, *_on(parent), setting])
        found.append(measured(folder / "stages/lat", prefix + arm, seed))
    return found


def _on(parent: Path) -> list[str]:
    """A `lat` stage on a run's fine-tuned model and its data."""
    source = f"model={{path: '{parent / 'stages/sft/model'}', context: 256}}"
    return ["stages=[lat]", source, f"data={{path: '{parent / 'data'}'}}"]


def table_of(results: Sequence[Measured]) -> Table:
    """One line an arm: means over seeds and their range."""
    table = Table(title=f"{SUITE}: mean (least–most) over seeds", title_justify="left")
    for column in ("arm", "off-target %", "off-target %, CLD2", "chrF", "supervised chrF", "seeds", "answers"):
        table.add_column(column)
    for arm in dict.fromkeys(result.arm for result in results):
        own = [result for result in results if result.arm == arm]
        cells = [_spread([getattr(r, name) for r in own]) for name in COLUMNS]
        table.add_row(arm, *cells, str(len(own)), str(own[0].answers))
    return table


def _spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def mean_of(results: Sequence[Measured], arm: str) -> float:
    """Off-target answers of an arm, in per cent."""
    return fmean(result.off_target for result in results if result.arm == arm)


def of_its_control(results: Sequence[Measured], arm: str) -> dict[str, float]:
    """Off-target answers of an arm as a share of those of `alpha` 0 on the same data, and what it adds to supervised
    chrF."""
    control = BEFORE + CONTROL if arm.startswith(BEFORE) else CONTROL
    chrf = [fmean(result.supervised_chrf for result in results if result.arm == one) for one in (arm, control)]
    return {
        "off_target": round(mean_of(results, arm) / mean_of(results, control), 3),
        "supervised_chrf": round(chrf[0] - chrf[1], 2),
    }


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rules", nargs="+", default=["keep_source"], help="values of lat.negatives")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    options = parser.parse_args()
    connect(ROOT)
    results = [
        result
        for seed in options.seeds
        for result in seed_results(options.output.resolve(), seed, options.rules, options.overrides)
    ]
    Console(width=120).print(table_of(results))
    rule = options.rules[0]
    told = {
        "command": " ".join(["python bench/language_aware.py", *sys.argv[1:]]),
        **package_versions(),
        "off_target_ratio": mean_of(results, rule),
        "control_off_target_ratio": mean_of(results, CONTROL),
        "before_off_target_ratio": mean_of(results, BEFORE + rule),
        "before_control_off_target_ratio": mean_of(results, BEFORE + CONTROL),
        "of_its_control": {arm: of_its_control(results, arm) for arm in (*options.rules, BEFORE + rule)},
        "runs": [asdict(result) for result in results],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
