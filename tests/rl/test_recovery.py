"""What the controller makes of lost workers, poisoned prompts, and of nothing happening."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_controller import FakeRollout, controller, ray_metrics  # noqa: F401 - a fixture

from dragoman.actors import Wait
from rl.failures import DataFailure, RlError
from rl.watchdog import Watchdog


def steps_of(folder):
    return [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]


class Poisoned(FakeRollout):
    """One prompt cannot be answered by anybody."""

    def __init__(self, poison):
        super().__init__()
        self.poison, self.restarts = poison, 0

    async def generate_group(self, prompt, sampling, seeds):
        if tuple(prompt) in self.poison:
            self.restarts += 4
            raise DataFailure("4 rollout workers were lost over it")
        async for found in super().generate_group(prompt, sampling, seeds):
            yield found


def poisoned(folder, poison, **changes):
    run = controller(folder, **changes)
    run.sampler = Poisoned(poison)
    object.__setattr__(run.rollout, "sampler", run.sampler)
    run.recoveries.parts["rollout"] = run.sampler
    return run


@pytest.mark.parametrize("staleness", [0, 1])
def test_a_prompt_that_nobody_can_answer_is_named_and_left_out(tmp_path, ray_metrics, capsys, staleness):  # noqa: F811
    run = poisoned(tmp_path, {(97 + 4,)}, staleness=staleness, correction={"kind": "truncate"}, steps=8)
    asyncio.run(run.run())
    samples = [json.loads(text) for text in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert "r4" not in {sample["id"] for sample in samples}
    assert len({sample["number"] for sample in samples}) >= 8 * 3
    said = capsys.readouterr().out
    assert "warning: prompt r4 is left out: 4 rollout workers were lost over it" in said
    times = said.count("prompt r4 is left out")
    assert sum(step.get("prompts_left_out", 0) for step in steps_of(tmp_path)) == times
    assert sum(step.get("restarts/rollout", 0) for step in steps_of(tmp_path)) == 4 * times


def test_when_no_prompt_can_be_answered_the_run_ends_and_says_why(tmp_path, ray_metrics):  # noqa: F811
    with pytest.raises(RlError, match="4 rollout workers were lost over it"):
        asyncio.run(poisoned(tmp_path, {(97 + n,) for n in range(20)}).run())


class Stuck:
    """Waits for an actor, and says so."""

    def waiting(self):
        return [Wait("learner train_step", 12.4, ("learner/0", "learner/1"))]


def test_the_watchdog_names_what_is_waited_for_only_when_nothing_moves(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rl.watchdog.LOOK_S", 0.05)
    state = [0]

    async def scenario():
        task = asyncio.create_task(Watchdog([Stuck(), object()], lambda: state[0], 0.3, tmp_path / "stacks").watch())
        for _ in range(10):  # half a second in which something happens again and again
            state[0] += 1
            await asyncio.sleep(0.05)
        before = capsys.readouterr().out
        await asyncio.sleep(0.5)
        task.cancel()
        return before, capsys.readouterr().out

    before, after = asyncio.run(scenario())
    assert before == ""
    assert "waiting for learner train_step (12 s: learner/0, learner/1)" in after
    assert "test_recovery.py" in (tmp_path / "stacks" / "driver.txt").read_text()
