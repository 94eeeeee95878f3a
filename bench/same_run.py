"""Do two runs of one recipe hold the same losses, rewards and samples?

    python bench/same_run.py RUN_BEFORE RUN_AFTER

For changes that must change nothing: run a recipe with the code before and with the code after, on one machine, then
compare the folders, for instance with the short recipe of the tests, which takes a minute:

    python -m cluster.local_job -- rl/train.py tests/e2e/short.yaml --output FOLDER

Compared are all lines of metrics.jsonl and samples.jsonl, the preference pairs, the outcomes and metrics of every
evaluation, and the bytes of every checkpoint's weights; not compared are times. Lines and columns that only the second
run has are named and are no difference. Exit code 1 if something differs; the last line of output is JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TIMES = ("time", "latency_s", "seconds", "tokens_per_s", "rollout_wait_s", "train_s", "step_s", "sync_s")
STAGES = ("base", "cpt", "sft", "lat", "preference", "rl")


def without_times(value: Any) -> Any:
    """A JSON value without anything that depends on the clock."""
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name not in TIMES}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def lines(path: Path) -> list[Any]:
    """The lines of a JSONL file."""
    return [without_times(json.loads(text)) for text in path.read_text(encoding="utf-8").split("\n") if text]


def trained(found: list[Any]) -> list[Any]:
    """Samples that were trained on, in the order of steps, prompts and samples."""
    chosen = [line for line in found if not line.get("filtered")]
    return sorted(chosen, key=lambda line: (line["step"], line["number"], line["sample"]))


def contents(run: Path) -> Iterator[tuple[str, Any]]:
    """Everything that is compared, by name."""
    yield "metrics", lines(run / "metrics.jsonl")
    yield "samples", trained(lines(run / "samples.jsonl"))
    yield "pairs", lines(run / "stages/preference/pairs.jsonl")
    for stage in STAGES:
        weights = (run / f"stages/{stage}/model/model.safetensors").read_bytes()
        yield f"weights after {stage}", hashlib.sha256(weights).hexdigest()
        if (run / f"stages/{stage}/evaluation.json").is_file():
            yield f"outcomes of {stage}", lines(run / f"stages/{stage}/evaluation.jsonl")
            yield f"evaluation of {stage}", json.loads((run / f"stages/{stage}/evaluation.json").read_text())


def differences(before: Any, after: Any, where: str) -> Iterator[str]:
    """Where two JSON values differ; columns that only the second has are none."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name not in after:
                yield f"{where}.{name} is gone"
            else:
                yield from differences(value, after[name], f"{where}.{name}")
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{where}: {len(before)} and {len(after)} entries"
        for number, (first, second) in enumerate(zip(before, after, strict=False)):
            yield from differences(first, second, f"{where}[{number}]")
    elif before != after:
        yield f"{where}: {before!r:.80} and {after!r:.80}"


def main() -> int:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("before", "after"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    first, second = options.before, options.after
    found, compared = [], 0
    for (name, before), (_, after) in zip(contents(first), contents(second), strict=True):
        compared += len(before) if isinstance(before, list) else 1
        found += list(differences(before, after, name))
    for line in found[:20]:
        print(line)
    print(json.dumps({"compared": compared, "differences": len(found)}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
