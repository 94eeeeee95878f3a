"""Do sampling, rewards and training go on at the same time?

    python bench/overlap.py [--steps 30] [--real] [--rounds 2]

With stand-ins: the product's controller around an engine and a learner that sleep, 0.2 s a step each, and a verifier
that sleeps 50 ms an answer. `efficiency` is max(sampling, training) / step under staleness 1. `reward_hidden` is the
share of the verifier's time that no step pays for: 1 - (step with it - step without) / (answers x 50 ms).
`--real` adds a job on 25 million parameters, engine and learner with a core each: sampling and training alone are read
from steps of staleness 0, steps of staleness 1 are measured beside them, in turns: `real_efficiency`; and the same with
and without a verifier that sleeps 50 ms: `real_reward_hidden`.
Last line: JSON.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.tiny_rl import PROMPTS, SAMPLES, SMALL, our_steps, write_model
from cluster.metrics import MetricsSink
from dragoman.data.rows import Prompt
from dragoman.rollout import Completion
from rewards import RewardResult, Score
from rl.algorithms import find_algorithm
from rl.controller import Controller, RunLog
from rl.prompts import PromptSource
from rl.rollouts import GroupRollout
from rl.samples_log import SamplesLog
from rl.settings import RlSettings
from rl.token_credit import TokenCredit
from rl.update import Update

PART_S = 0.2
REWARD_S = 0.05
WARM_UP = 5
SLOW_REWARD = f"""import asyncio

async def slow(response, **_):
    await asyncio.sleep({REWARD_S})
    return 0.5
"""


class SleepingEngine:
    """Gives a step's answers in `PART_S`, one group after the other, whatever weights it has."""

    def __init__(self) -> None:
        self.version = 0
        self._busy, self._free_at = asyncio.Lock(), 0.0

    async def generate_group(
        self, prompt: Sequence[int], sampling: Any, seeds: Sequence[int]
    ) -> AsyncGenerator[tuple[int, Completion], None]:
        """The answers of a group come evenly spread over its time."""
        begun, asked_at = self.version, time.monotonic()
        async with self._busy:
            self._free_at = max(self._free_at, asked_at)
            for place, seed in enumerate(seeds):
                self._free_at += PART_S / PROMPTS / SAMPLES
                # by the clock: 64 short sleeps, each a little late, would add up
                await asyncio.sleep(max(0.0, self._free_at - time.monotonic()))
                yield place, Completion((seed % 50,), (-1.0,), str(seed), "stop", begun, self.version)

    async def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        """What the probe asks for."""
        return [[-1.0] * (len(sequence) - 1) for sequence in sequences]

    async def sleep(self) -> None:
        """Has a core of its own."""

    async def sync(self, _: Any, version: int) -> float:
        """Costs nothing here: it is measured on its own."""
        self.version = version
        return 0.0


class SleepingLearner:
    """Trains for `PART_S`."""

    async def train_step(self, *_: Any) -> dict[str, float]:
        """Nothing is learned."""
        await asyncio.sleep(PART_S)
        return {"loss": 0.0, "entropy": 1.0, "logprob_max_abs_diff": 0.0}

    async def logprobs(self, units: Sequence[Any], *_: Any) -> list[Any]:
        """What the probe asks for."""
        return [sequence.channels["loss_mask"] * 0 - 1.0 for (sequence,) in units]

    async def save(self, folder: Path) -> None:
        """An empty checkpoint."""
        folder.mkdir(parents=True)

    async def copy_checkpoint(self, folder: Path, tag: str) -> None:
        """Nothing to copy."""

    async def write_checkpoint(self) -> None:
        """An empty snapshot."""


@dataclass(frozen=True)
class SleepingVerifier:
    """Takes its time for each answer, for any number at once."""

    seconds: float

    async def score(self, prompt: Prompt, response: str) -> Score:
        """A value that differs from answer to answer."""
        if self.seconds:
            await asyncio.sleep(self.seconds)
        value = int(response) % 3 / 2
        return Score(prompt.id, value, (RewardResult("sleeping", value, "ok", ""),))


def with_stand_ins(folder: Path, steps: int, reward_s: float) -> list[dict[str, Any]]:
    """What the controller logs of its steps."""
    settings = RlSettings(
        steps=steps, groups_per_step=PROMPTS, samples=SAMPLES, max_tokens=4, staleness=1, checkpoint_every=steps,
        filter_equal_rewards=False, learning_rate=1e-6, correction={"kind": "truncate"},
    )  # fmt: skip
    asked = [Prompt(f"r{i}", ({"role": "user", "content": "x"},), (), {}, "t") for i in range(64)]
    algorithm = find_algorithm(settings.algorithm)(settings)
    engine, learner = SleepingEngine(), SleepingLearner()
    with patch("ray.util.metrics.Gauge"):  # the figures go to files; no cluster here
        controller = Controller(
            PromptSource(asked, [(7, i) for i in range(64)], seed=0),
            GroupRollout(engine, SleepingVerifier(reward_s), settings, seed=0),  # type: ignore[arg-type]
            Update(learner, algorithm),  # type: ignore[arg-type]
            RunLog(MetricsSink(folder, "overlap"), SamplesLog(folder / "samples.jsonl")),
            TokenCredit(algorithm, str),
            max_error_share=0.2,
            checkpoints=folder / "checkpoints",
        )
        asyncio.run(controller.run())
    return steps_of(folder)


def steps_of(folder: Path) -> list[dict[str, Any]]:
    """Lines of steps, without the first."""
    logged = map(json.loads, (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in logged if "step_s" in line][WARM_UP:]


def median_step(lines: Sequence[dict[str, Any]]) -> float:
    """Seconds from the end of one step to that of the next."""
    return statistics.median(line["step_s"] for line in lines)


def hidden(with_it: float, without: float) -> float:
    """Share of the verifier's time that no step pays for."""
    return 1 - (with_it - without) / (PROMPTS * SAMPLES * REWARD_S)


def stand_ins(steps: int) -> dict[str, float]:
    """Both figures without a model."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found = {}
        for name, reward_s in (("plain", 0.0), ("rewarded", REWARD_S)):
            (folder / name).mkdir()
            found[name] = median_step(with_stand_ins(folder / name, steps + WARM_UP, reward_s))
    return {
        "efficiency": round(PART_S / found["plain"], 3),
        "step_s": round(found["plain"], 3),
        "reward_hidden": round(hidden(found["rewarded"], found["plain"]), 3),
    }


def real(steps: int, rounds: int) -> dict[str, float]:
    """Both figures of a job, its sides in turns."""
    found: dict[str, list[dict[str, Any]]] = {"in turns": [], "beside": [], "rewarded": []}
    with tempfile.TemporaryDirectory() as temporary:
        model, verifier = Path(temporary) / "model", Path(temporary) / "slow_reward.py"
        write_model(model, SMALL)
        verifier.write_text(SLOW_REWARD, encoding="utf-8")
        for _ in range(rounds):
            for side in found:
                found[side] += a_job(model, verifier, side, steps)
                print(f"{side}: {median_step(found[side]):.2f} s a step", file=sys.stderr, flush=True)
    sampling, training = (
        statistics.median(line[part] for line in found["in turns"]) for part in ("rollout_wait_s", "train_s")
    )
    beside = median_step(found["beside"])
    return {
        "real_efficiency": round(max(sampling, training) / beside, 3),
        "real_sampling_s": round(sampling, 2),
        "real_training_s": round(training, 2),
        "real_step_s": round(beside, 2),
        "real_reward_hidden": round(hidden(median_step(found["rewarded"]), beside), 3),
    }


def a_job(model: Path, verifier: Path, side: str, steps: int) -> list[dict[str, Any]]:
    """Steps of one side of `real`."""
    changes = {
        "learner": {"threads": 1},
        "rollout": {"threads": 1},
        "rl": {"staleness": 0 if side == "in turns" else 1},
    }
    slow = side == "rewarded"
    lines = our_steps(
        model, steps + WARM_UP, changes, rewards=[{"kind": "slow", "weight": 0.01}] if slow else (),
        plugins=[f"{verifier}:slow"] if slow else (),
    )  # fmt: skip
    return lines[WARM_UP:]


def figures(options: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """All that were asked for."""
    yield from stand_ins(options.steps).items()
    if options.real:
        yield from real(options.steps, options.rounds).items()


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30, help="measured steps of each side")
    parser.add_argument("--real", action="store_true", help="engines, a learner and reward workers as well")
    parser.add_argument("--rounds", type=int, default=2)
    print(json.dumps(dict(figures(parser.parse_args()))))


if __name__ == "__main__":
    main()
