"""Reinforcement learning of a tiny model by our stage and by OpenRLHF's own trainer, from the same recipe, in turns.

    python bench/vs_openrlhf.py [--rounds 2] [--steps 12] [--rise runs/quickstart]

The task is that of `bench.tiny_rl`, answers of at most 64 tokens: 8 prompts x 8 answers a step, 3.2 million parameters.
`openrlhf` is `rl.backend: openrlhf`: its trainer, its vLLM engines, its DeepSpeed actor, our reward pools behind its
reward function. It has no CPU mode, so it runs with the stand-ins of its test (tests/e2e/openrlhf_cpu: gloo in place
of NCCL, torch's Adam in place of the fused one, nothing that is computed differently). Seconds a step are each
trainer's own (`timing/step_total`, `step_s`); medians, the first steps left out.
`--rise` hands a copy of a finished quickstart's last stage to OpenRLHF for 30 steps: mean reward of the first and of
the last ten.
Last line: JSON with `ratio`, OpenRLHF's seconds over ours with staleness 0, and `ratio_async` with staleness 1.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.tiny_rl import ROOT, our_steps, write_model
from bench.vs_trl import PLACEMENT

STAND_INS = ROOT / "tests" / "e2e" / "openrlhf_cpu"
WARM_UP, LONGEST = 3, 64
SIDES = ("openrlhf", "sync", "async")
RISE_STEPS, RISE_ENDS = 30, 10


@contextmanager
def stand_ins() -> Iterator[dict[str, str]]:
    """The environment in which OpenRLHF runs without a GPU; what it changes is put back."""
    changed = {
        "PYTHONPATH": f"{STAND_INS}{os.pathsep}{ROOT}", "RAY_OVERRIDE_RESOURCES": json.dumps({"CPU": 10, "GPU": 4}),
        "VLLM_CPU_KVCACHE_SPACE": "1", "TORCHDYNAMO_DISABLE": "1",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield changed
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def seconds_of(side: str, model: Path, steps: int) -> list[float]:
    """Seconds of a side's steps."""
    rl: dict[str, Any] = {"max_tokens": LONGEST, "staleness": 1 if side == "async" else 0}
    if side == "openrlhf":
        with stand_ins() as environment:
            found = our_steps(
                model, steps + WARM_UP, {"rl": {**rl, "backend": "openrlhf"}}, environment=environment
            )  # fmt: skip
    else:
        found = our_steps(model, steps + WARM_UP, {**PLACEMENT[side], "rl": rl})
    return [row["step_s"] for row in found[WARM_UP:]]


def rise(run: Path) -> dict[str, float]:
    """Mean reward at both ends of OpenRLHF's training on the quickstart's recipe."""
    with tempfile.TemporaryDirectory() as temporary, stand_ins():
        shutil.copytree(run, Path(temporary) / "handed", ignore=shutil.ignore_patterns("rl"))
        settings = ("name=handed", "rl.backend=openrlhf", f"rl.steps={RISE_STEPS}", "rl.ptx.coefficient=0",
                    "rl.direction_replay.coefficient=0")  # fmt: skip
        command = [sys.executable, "-m", "cluster.local_job", "--", "rl/train.py", "--output", temporary]
        command += [word for setting in settings for word in ("--set", setting)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        text = (Path(temporary) / "handed" / "metrics.jsonl").read_text(encoding="utf-8")
    steps = [row for row in map(json.loads, text.splitlines()) if row["stage"] == "rl" and "reward_mean" in row]
    rewards = [row["reward_mean"] for row in steps][-RISE_STEPS:]
    return {
        "reward_first": statistics.fmean(rewards[:RISE_ENDS]),
        "reward_last": statistics.fmean(rewards[-RISE_ENDS:]),
    }


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12, help="measured steps of a process")
    parser.add_argument("--rise", type=Path, help="a finished quickstart")
    options = parser.parse_args()
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as temporary:
        model = Path(temporary)
        write_model(model)
        for _ in range(options.rounds):
            for side in SIDES:
                found[side] += seconds_of(side, model, options.steps)
                print(f"{side}: {statistics.median(found[side]):.2f} s a step", file=sys.stderr, flush=True)
    middle = {side: statistics.median(seconds) for side, seconds in found.items()}
    result = {f"{side}_s": round(seconds, 3) for side, seconds in middle.items()}
    result |= {"ratio": round(middle["openrlhf"] / middle["sync"], 2)}
    result |= {"ratio_async": round(middle["openrlhf"] / middle["async"], 2)}
    print(json.dumps({**result, **(rise(options.rise) if options.rise else {})}))


if __name__ == "__main__":
    main()
