"""How long a checkpoint holds training up: written while training waits, or from a copy while it goes on.

    python bench/snapshots.py [--hidden 512] [--layers 8] [--rounds 5] [--steps 4]

Two training engines of one process with the same model and the same steps, one with `learner.background_snapshots` and
one without, in turns; writing has a thread of its own, as in a learner rank. A round is the time of some steps, then
that of a checkpoint and as many steps: the difference is what the checkpoint cost, the slowing of the steps beside the
writing included. `waits_s` is how long the next step had to wait for its start. In both, files are on disk (fsync) and
renamed at the end. Last line: JSON with medians, and the background's share of the other's waits and costs.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tiny_rl import Size, write_model

from dragoman.learner import LearnerSettings, Objective, OptimiserSettings, TokenSequence
from dragoman.learner.checkpoints import Snapshots
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.objective import shards
from dragoman.learner.packing import pack

ROW, ROWS = 256, 1


class LocalTrainer:
    """A training engine of this process, in threads."""

    def __init__(self, folder: Path, settings: LearnerSettings) -> None:
        from dragoman.learner.engine import TrainingEngine

        self.engine = TrainingEngine(folder, settings, OptimiserSettings())
        self.copied: Any = None

    async def copy_checkpoint(self, folder: Path, tag: str) -> None:
        """As a rank does."""
        self.copied = await asyncio.to_thread(self.engine.copy_checkpoint, folder, tag)

    async def write_checkpoint(self) -> None:
        """As a rank does."""
        await asyncio.to_thread(self.copied.write)

    async def train(self, steps: int) -> float:
        """Seconds of so many steps."""
        began = time.perf_counter()
        for _ in range(steps):
            await asyncio.to_thread(self.engine.train_step, work(), 1e-6)
        return time.perf_counter() - began


@dataclass
class Side:
    """One way of writing."""

    trainer: LocalTrainer
    snapshots: Snapshots
    background: bool
    waits: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)


def work() -> Any:
    """Full rows of random tokens."""
    chosen = np.random.default_rng(0)
    mask = np.ones(ROW, np.float32)
    units = [(TokenSequence(chosen.integers(2, 250, ROW).astype(np.int32), {"loss_mask": mask}),) for _ in range(ROWS)]
    objective = Objective(units, CrossEntropy(), {"tokens": float(ROW * ROWS)})
    return shards(objective, pack(units, ranks=1, row_tokens=ROW, rows_per_micro_batch=ROWS))


async def round_of(side: Side, number: int, steps: int) -> None:
    """Steps without a checkpoint, and with one."""
    alone = await side.trainer.train(steps)
    began = time.perf_counter()
    await side.snapshots.take(number)
    if not side.background:
        await side.snapshots.written()
    side.waits.append(time.perf_counter() - began)
    await side.trainer.train(steps)
    await side.snapshots.written()
    side.costs.append(time.perf_counter() - began - alone)
    side.steps.append(alone / steps)


async def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All rounds, in turns; the first, in which memory is taken for the first time, does not count."""
    import deepspeed

    from dragoman.learner.device import prepare_process

    prepare_process(1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address, port = "127.0.0.1", probe.getsockname()[1]
    os.environ.update(LOCAL_RANK="0", RANK="0", WORLD_SIZE="1", MASTER_ADDR=address, MASTER_PORT=str(port))
    deepspeed.init_distributed(dist_backend="gloo", auto_mpi_discovery=False, rank=0, world_size=1, verbose=False)
    write_model(folder / "model", Size(options.hidden, options.layers, options.hidden * 11 // 4 // 8 * 8))
    sides = {}
    for name, background in (("waiting", False), ("background", True)):
        settings = LearnerSettings(row_tokens=ROW, rows_per_micro_batch=ROWS, background_snapshots=background)
        trainer: Any = LocalTrainer(folder / "model", settings)
        sides[name] = Side(trainer, Snapshots(trainer, folder / name), background)
    for number in range(1, options.rounds + 2):
        for side in sides.values():
            await round_of(side, number, options.steps)
    for side in sides.values():
        await side.snapshots.finish()
    written = sum(file.stat().st_size for file in (folder / "background").rglob("*") if file.is_file())
    kinds = ("waits", "costs")
    waits, costs = (
        {name: statistics.median(getattr(side, kind)[1:]) for name, side in sides.items()} for kind in kinds
    )
    return {
        "mib": round(written / (1 << 20)),
        "step_s": round(statistics.median([step for side in sides.values() for step in side.steps[1:]]), 3),
        "waits_s": {name: round(value, 3) for name, value in waits.items()},
        "costs_s": {name: round(value, 3) for name, value in costs.items()},
        "ratio_of_waits": round(waits["background"] / waits["waiting"], 3),
        "ratio_of_costs": round(costs["background"] / costs["waiting"], 3),
    }


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(asyncio.run(measured(options, Path(temporary)))))


if __name__ == "__main__":
    main()
