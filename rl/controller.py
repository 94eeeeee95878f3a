"""The controller of reinforcement learning: two coroutines around one buffer of scored groups.

    rollout_pump   starts groups as the staleness rule allows; every finished answer goes at once to its
                   verifiers; a complete group that can teach something enters the buffer, any other is
                   replaced (bounded: dynamic sampling must not run away)
    train_pump     takes a batch of groups, makes the optimiser steps, raises the version, gives the
                   engines the new weights, and writes a snapshot every so many steps

It holds no tensors. Batches are taken oldest first, and with staleness 0 the set of
groups of a step does not depend on timing (`rl.staleness`), so a resumed run repeats an uninterrupted one.
Every wait has a deadline and says what it waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.metrics import MetricsSink
from cluster.progress import Progress
from dragoman.learner import LearnerGroup, Objective, TokenSequence
from dragoman.learner.checkpoints import latest_step, publish, tag_of, work_tag
from dragoman.learner.schedule import learning_rate
from dragoman.rollout import RolloutGroup, SamplingSettings, sample_seed
from rewards import RewardPools
from rl.agreement import probe_agreement
from rl.groups import PromptTask, Sample, ScoredGroup
from rl.prompts import PromptSource
from rl.samples_log import SamplesLog
from rl.snapshot import ControllerState, read_state, write_state
from rl.staleness import batch_is_ready, groups_that_may_start, wave_size
from rl.step_metrics import StepFigures, step_figures
from rl.training_batch import batch_advantages, group_units, loss_counts, loss_settings, mini_batches, usable

FIRST_GUESS = 0.5
"""Share of groups that are usable, before any was seen"""


class RlError(RuntimeError):
    """Reinforcement learning cannot go on; the text names the reason and the mend."""


@dataclass(frozen=True)
class Parts:
    """What the controller drives."""

    learner: LearnerGroup
    rollout: RolloutGroup
    pools: RewardPools
    prompts: PromptSource
    sink: MetricsSink
    samples: SamplesLog
    beside: Callable[[int, int, int], Objective] | None = None
    """A second objective for part p of n of step s, `beside(s, p, n)`: data of earlier stages (`rl.ptx`)"""


@dataclass(frozen=True)
class Running:
    """A group being sampled."""

    version: int
    work: asyncio.Task[None]


class Controller:
    """One RL stage. `run` returns when `section["steps"]` steps are done."""

    def __init__(
        self, parts: Parts, section: Mapping[str, Any], *, seed: int, max_error_share: float, checkpoints: Path
    ) -> None:
        self.parts, self.section, self.seed = parts, section, seed
        self.max_error_share, self.checkpoints = max_error_share, checkpoints
        self.version = self.next_prompt = self.accepted = 0
        self.filtered = 0
        self.usable_share = FIRST_GUESS
        """Of the groups tried; an estimate that halves the weight of the past with every step"""
        self.waves = int(section["staleness"]) == 0 and bool(section["whole_waves"])
        self.batch_taken = False
        """The batch of this version has been taken; what starts now would be stale"""
        self.buffer: list[ScoredGroup] = []
        self.running: dict[int, Running] = {}
        self.again: list[int] = []
        self._changed = asyncio.Condition()
        self._failure: Exception | None = None
        self._figures = StepFigures()

    async def run(self) -> None:
        """Resume from the newest snapshot if there is one, then pump to the end."""
        await self._restore()
        await self.parts.rollout.sync(self.parts.learner, self.version)
        pump = asyncio.create_task(self.rollout_pump())
        train = asyncio.create_task(self.train_pump())
        try:
            done, _ = await asyncio.wait({pump, train}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:  # the first error of either pump ends the run
                task.result()
        finally:
            tasks = [pump, train, *(running.work for running in self.running.values())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def rollout_pump(self) -> None:
        """Start groups whenever the staleness rule has room."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._room() > 0 or self._failure is not None)
                if self._failure is not None:
                    raise self._failure
                for _ in range(self._room()):
                    self._start_group()

    async def train_pump(self) -> None:
        """Train on batches of groups until all steps are done."""
        steps = int(self.section["steps"])
        progress = Progress("rl", steps, self.version)
        while self.version < steps:
            began = time.monotonic()
            groups = await self._take_batch()
            waited = time.monotonic() - began
            metrics = await self._train(groups)
            trained = time.monotonic() - began - waited
            step = self.version
            metrics["sync_s"] = await self._sync(metrics)
            self.version += 1  # only now: a group begun during the sync was begun on the old weights
            self.batch_taken = False
            metrics |= {"rollout_wait_s": waited, "train_s": trained, "step_s": time.monotonic() - began}
            metrics |= step_figures(groups, self._figures, version=step)
            metrics["tokens_per_s"] = metrics["answer_tokens"] / metrics["step_s"]
            metrics["policy_version"] = self.version
            self._figures = StepFigures()
            self.parts.samples.write(step, groups, str(self.section["advantage"]))
            self.parts.sink.log("rl", step, metrics)
            progress.update(
                self.version,
                {"reward": metrics["reward_mean"], "entropy": metrics["entropy"],
                 "tokens/s": metrics["tokens_per_s"], "|Δlogp|": metrics["agreement"]},
            )  # fmt: skip
            if self.version % int(self.section["checkpoint_every"]) == 0 or self.version == steps:
                await self._snapshot()
            async with self._changed:
                self._changed.notify_all()
        progress.close()

    def _room(self) -> int:
        size = int(self.section["groups_per_step"])
        if self.waves:
            if self.running or self.batch_taken or self.version == int(self.section["steps"]):
                return 0
            return wave_size(missing=size - len(self.buffer), expected_share=self.usable_share)
        started_by_steps = int(self.section["steps"]) * size
        wanted = groups_that_may_start(
            version=self.version,
            staleness=int(self.section["staleness"]),
            groups_per_step=size,
            accepted=self.accepted,
            running=len(self.running),
        )
        return min(wanted, max(0, started_by_steps - self.accepted - len(self.running)))

    def _start_group(self) -> None:
        if self.again:
            number = self.again.pop(0)
        else:
            number = self.next_prompt
            self.next_prompt += 1
        work = asyncio.create_task(self._roll(self.parts.prompts.prompt(number), self.version))
        self.running[number] = Running(self.version, work)

    async def _roll(self, task: PromptTask, version: int) -> None:
        """One group from start to end; its error wakes the pump, which ends the run with it."""
        try:
            await self._sample_group(task, version)
        except Exception as error:
            async with self._changed:
                self._failure = error
                self._changed.notify_all()

    async def _sample_group(self, task: PromptTask, version: int) -> None:
        """Sample and score one group; put it into the buffer or let it be replaced."""
        samples = await asyncio.gather(*(self._answer(task, k) for k in range(int(self.section["samples"]))))
        group = ScoredGroup(task, tuple(samples), version)
        self._figures.count(group)
        self._check_errors()
        async with self._changed:
            if usable(group, self.section):
                self.buffer.append(group)
                self.accepted += 1
                self.filtered = 0
            else:
                self._count_filtered()
            self.running.pop(task.number, None)
            self._changed.notify_all()

    async def _answer(self, task: PromptTask, index: int) -> Sample:
        sampling = SamplingSettings(int(self.section["max_tokens"]), float(self.section["temperature"]))
        seed = sample_seed(self.seed, f"{task.number}/{task.id}", index)
        completion = await self.parts.rollout.generate(task.prompt_ids, sampling, seed)
        score = await self.parts.pools.score({**task.row, "response": completion.text})
        return Sample(index, completion, score)

    def _count_filtered(self) -> None:
        self.filtered += 1
        limit = float(self.section["max_refill_factor"]) * int(self.section["groups_per_step"])
        if self.filtered > limit:
            failed = f"; a reward check that failed: {self._figures.example}" if self._figures.example else ""
            raise RlError(
                f"{self.filtered} prompts in a row gave answers of equal or unknown reward, or only cut-off answers; "
                "nothing can be learned from them: use easier or harder prompts, raise rl.temperature, rl.samples "
                f"or rl.max_tokens, or set rl.filter_equal_rewards=false{failed}"
            )

    def _check_errors(self) -> None:
        failing = self._figures.failing_share()
        if failing > self.max_error_share and self._figures.groups >= min(4, int(self.section["groups_per_step"])):
            raise RlError(
                f"{failing:.0%} of this step's reward checks failed (rewards.max_error_share is "
                f"{self.max_error_share:.0%}); for instance: {self._figures.example}"
            )

    def _batch_ready(self) -> bool:
        if self.waves:
            return len(self.buffer) >= int(self.section["groups_per_step"]) and not self.running
        return batch_is_ready(
            version=self.version,
            staleness=int(self.section["staleness"]),
            groups_per_step=int(self.section["groups_per_step"]),
            buffered=[group.started_version for group in self.buffer],
            running=[running.version for running in self.running.values()],
        )

    async def _take_batch(self) -> list[ScoredGroup]:
        size = int(self.section["groups_per_step"])
        try:
            async with asyncio.timeout(float(self.section["deadline_s"])):
                async with self._changed:
                    await self._changed.wait_for(self._batch_ready)
                    self.buffer.sort(key=lambda group: (group.started_version, group.task.number))
                    if self.waves:
                        size = len(self.buffer)
                        self.usable_share = (self.usable_share + size / self._figures.groups) / 2
                    batch, self.buffer = self.buffer[:size], self.buffer[size:]
                    self.batch_taken = True
                    return batch
        except TimeoutError:
            raise RlError(
                f"step {self.version}: {len(self.buffer)} of {size} groups came within rl.deadline_s="
                f"{self.section['deadline_s']:g} s; still running are prompts {sorted(self.running)[:8]}"
            ) from None

    async def _train(self, groups: list[ScoredGroup]) -> dict[str, float]:
        """The optimiser steps of one batch; metrics of the last, agreement of the first."""
        advantages = batch_advantages(groups, str(self.section["advantage"]))
        parts = mini_batches(list(zip(groups, advantages, strict=True)), int(self.section["mini_batches"]))
        batches = [
            [unit for group, given in part for unit in group_units(group, given, self.section)] for part in parts
        ]
        if len(batches) > 1 and self.section["importance_correction"] != "none":
            batches = [await self._with_logprobs(units, "proximal_logprobs") for units in batches]
        if self.section["kl_coefficient"]:
            batches = [await self._with_logprobs(units, "reference_logprobs") for units in batches]
        first: dict[str, float] = {}
        metrics: dict[str, float] = {}
        for number, (part, units) in enumerate(zip(parts, batches, strict=True)):
            policy = Objective(
                units,
                loss="policy_gradient",
                counts=loss_counts(units, len(part), self.section),
                settings=loss_settings(self.section),
                temperature=float(self.section["temperature"]),
            )
            beside = self.parts.beside
            kept = [] if beside is None else [beside(self.version, number, len(parts))]
            metrics = await self.parts.learner.train_step([policy, *kept], self._rate())
            first = first or metrics
        metrics["agreement"] = first["logprob_max_abs_diff"]
        return metrics

    async def _with_logprobs(self, units: list[Any], channel: str) -> list[Any]:
        """Units with the log-probs of the policy as it is now, or of the frozen reference, as a channel."""
        learner, temperature = self.parts.learner, float(self.section["temperature"])
        values = await learner.logprobs(units, temperature, reference=channel == "reference_logprobs")
        return [
            (TokenSequence(s.token_ids, {**s.channels, channel: v}, s.label),)
            for (s,), v in zip(units, values, strict=True)
        ]

    async def _sync(self, metrics: dict[str, float]) -> float:
        """New weights into the engines; where the batch was not on-policy, a probe measures agreement."""
        seconds = await self.parts.rollout.sync(self.parts.learner, self.version + 1)
        if int(self.section["staleness"]) > 0:
            metrics["agreement"] = await probe_agreement(
                self.parts.learner, self.parts.rollout, self.parts.prompts, float(self.section["temperature"])
            )
        if metrics["agreement"] > float(self.section["agreement_threshold"]):
            print(
                f"warning: step {self.version}: log-probs of engine and learner differ by up to "
                f"{metrics['agreement']:.2e} (rl.agreement_threshold {self.section['agreement_threshold']:g})",
                flush=True,
            )
        return seconds

    def _rate(self) -> float:
        s = self.section
        return learning_rate(
            self.version, steps=int(s["steps"]), peak=float(s["learning_rate"]),
            warmup_share=float(s["warmup_share"]), final_share=float(s["final_learning_rate_share"]),
            schedule=str(s["schedule"]),
        )  # fmt: skip

    async def _snapshot(self) -> None:
        state = ControllerState(
            self.version, self.next_prompt, self.accepted, tuple(self.buffer), tuple([*self.again, *self.running]),
            self.usable_share,
        )  # fmt: skip
        await self.parts.learner.save_checkpoint(self.checkpoints, work_tag(self.version))
        write_state(self.checkpoints / work_tag(self.version), state)
        publish(self.checkpoints, self.version)

    async def _restore(self) -> None:
        step = latest_step(self.checkpoints)
        if step is not None:
            state = read_state(self.checkpoints / tag_of(step))
            await self.parts.learner.load_checkpoint(self.checkpoints, tag_of(step))
            self.version, self.next_prompt, self.accepted = state.step, state.next_prompt, state.accepted
            self.buffer, self.again = list(state.buffered), sorted(state.in_flight)
            self.usable_share = state.usable_share
            print(f"rl: going on after step {step} of {self.section['steps']}", flush=True)
        self.parts.sink.rewind("rl", self.version)
        self.parts.samples.rewind(self.version)
