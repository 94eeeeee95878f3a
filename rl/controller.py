"""The controller of reinforcement learning: two coroutines around one buffer of scored groups.

    rollout_pump   starts groups as the admission rule allows; a complete group that can teach something enters the
                   buffer, any other is replaced (bounded: dynamic sampling must not run away)
    train_pump     takes a batch of groups, makes the optimiser steps, raises the version, gives the
                   engines the new weights, and takes a snapshot every so many steps, written beside the next ones

Beside them: a task for each group, evaluations (`rl.evaluation`), a watchdog and, where answers may be older than the
learner, a probe (`rl.agreement`).
It holds no tensors. Batches are taken oldest first, and with staleness 0 the set of groups of a step does not depend on
timing (`rl.admission`), so a resumed run repeats an uninterrupted one. Every wait has a deadline and says what it
waited for.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.metrics import MetricsSink
from cluster.progress import Progress
from dragoman.learner.checkpoints import Snapshots
from rl.admission import admission_of
from rl.agreement import AgreementProbe
from rl.buffer import GroupBuffer
from rl.evaluation import SCORE, Evaluator, PeriodicEvaluation
from rl.failures import DataFailure, RlError, check_errors, check_refills
from rl.groups import PromptVisit, ScoredGroup
from rl.prompts import PromptSource
from rl.recovery import Recoveries
from rl.rollouts import GroupRollout
from rl.samples_log import SamplesLog
from rl.settings import FLOAT32_AGREEMENT
from rl.snapshot import restore, take
from rl.step_metrics import SampledGroups, step_metrics
from rl.token_credit import TokenCredit
from rl.update import Update
from rl.watchdog import Watchdog


@dataclass(frozen=True)
class RunLog:
    """Where a run's metrics and samples go."""

    sink: MetricsSink
    samples: SamplesLog


class Controller:
    """One RL stage. `run` returns when all its steps are done."""

    def __init__(
        self,
        prompts: PromptSource,
        rollout: GroupRollout,
        update: Update,
        log: RunLog,
        token_credit: TokenCredit,
        *,
        max_error_share: float,
        checkpoints: Path,
        stacks: Path | None = None,
        evaluator: Evaluator | None = None,
    ) -> None:
        self.prompts, self.rollout, self.update, self.log = prompts, rollout, update, log
        self.algorithm, self.trainer, self.sampler = update.algorithm, update.trainer, rollout.sampler
        self.token_credit = token_credit
        self.settings = update.algorithm.settings
        self.max_error_share, self.snapshots = max_error_share, Snapshots(self.trainer, checkpoints)
        self.version = 0
        """Of the weights the engines have; steps done"""
        self.buffer, self.admission, self.sampled = GroupBuffer(), admission_of(self.settings), SampledGroups()
        self.probe = AgreementProbe(self.trainer, self.sampler, self.settings, self._beside, self._log_agreement)
        self.evaluation = PeriodicEvaluation(
            self.trainer, evaluator, self.settings.evaluation, checkpoints.with_name("candidates"), self._beside,
            self._log_evaluation,
        )  # fmt: skip
        self.recoveries = Recoveries({"rollout": self.sampler, "learner": self.trainer, "reward": rollout.scorer})
        parts = (self.trainer, self.sampler, rollout.scorer)
        self.watchdog = Watchdog(parts, self._moved, self.settings.watchdog_s, stacks)
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Resume from the newest snapshot if there is one, then pump to the end."""
        self.version = await restore(self.snapshots, self.buffer, self.admission, self.prompts, self.evaluation)
        if self.version:
            print(f"rl: going on after step {self.version} of {self.settings.steps}", flush=True)
        self.log.sink.rewind("rl", self.version)
        self.log.samples.rewind(self.version)
        await self.sampler.sync(self.trainer, self.version)
        await self.evaluation.begin(self.version, last=self.version == self.settings.steps)
        self._beside(self.watchdog.watch())
        pumps = {asyncio.create_task(self.rollout_pump()), asyncio.create_task(self.train_pump())}
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for task in done:  # the first error of either pump ends the run
                task.result()
        except Exception:
            await self.snapshots.settle()
            raise
        finally:
            for task in (tasks := pumps | self._tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def rollout_pump(self) -> None:
        """Start groups whenever the admission rule lets some in."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_start() > 0 or self._failure is not None)
                if self._failure is not None:
                    raise self._failure
                for _ in range(self._may_start()):
                    visit = self.prompts.visit(self.buffer.start(self.version))
                    self._beside(self._roll(visit, self.version))

    async def train_pump(self) -> None:
        """Train on batches of groups until all steps are done."""
        steps = self.settings.steps
        progress = Progress("rl", steps, self.version)
        while self.version < steps and not self.evaluation.has_seen_enough:
            step, began = self.version, time.monotonic()
            groups = await self._take_batch()
            waited = time.monotonic() - began
            # in a thread: mapping the spans of long answers takes seconds, in which rollouts must go on
            credits, shares = await asyncio.to_thread(self.token_credit, groups, self.algorithm.credit(groups))
            await self.probe.learner_is_free()
            await self.sampler.sleep()
            metrics = await self.update(step, groups, credits) | shares
            trained = time.monotonic() - began - waited
            await self.evaluation.engines_are_free()
            self.probe.sync_begins()
            metrics["sync_s"] = await self.sampler.sync(self.trainer, self.version + 1)
            self.version += 1  # only now: a group begun during the sync was begun on the old weights
            metrics |= {"rollout_wait_s": waited, "train_s": trained, "step_s": time.monotonic() - began}
            metrics |= step_metrics(groups, self.sampled, version=step)
            metrics["tokens_per_s"] = metrics["answer_tokens"] / metrics["step_s"]
            metrics["policy_version"] = self.version
            metrics |= self.recoveries.since_last()
            self._check_agreement(step, groups, metrics)
            filtered = self.sampled.filtered(self.token_credit.teaches)
            self.sampled = SampledGroups()
            self.prompts.observe(groups, self.buffer.in_flight)
            self.log.samples.write(step, groups, credits, filtered)
            self.log.sink.log("rl", step, metrics)
            shown = {"reward": "reward_mean", "entropy": "entropy", "tokens/s": "tokens_per_s", "|Δlogp|": "agreement"}
            progress.update(self.version, {word: metrics[name] for word, name in shown.items() if name in metrics})
            await self.evaluation.begin(self.version, last=self.version == steps)
            if self.version % self.settings.checkpoint_every == 0 or self.version == steps:
                await take(self.snapshots, self.version, self.buffer, self.admission, self.prompts, self.evaluation)
                self._beside(self.snapshots.written())
            async with self._changed:
                self._changed.notify_all()
        await self.probe.finish()
        await self.evaluation.engines_are_free()
        await self.snapshots.finish()
        progress.close()
        if self.version < steps:
            print(f"rl: ended after step {self.version} of {steps}: no better score for long (rl.evaluation.patience)")

    def _moved(self) -> tuple[int, ...]:
        """Changes whenever the run gets on."""
        return self.version, len(self.sampled.groups), self.buffer.accepted, getattr(self.sampler, "answered", 0)

    def _may_start(self) -> int:
        return self.admission.may_start(self.buffer, self.version)

    def _batch_size(self) -> int:
        return self.admission.batch_size(self.buffer, self.version)

    def _beside(self, work: Awaitable[None]) -> None:
        """A task beside the pumps; its error wakes the rollout pump, which ends the run with it."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            async with self._changed:
                self._failure = error
                self._changed.notify_all()

    async def _roll(self, visit: PromptVisit, version: int) -> None:
        """One group from start to end."""
        try:
            group = await self.rollout.group(visit, version)
        except DataFailure as error:
            await self._leave_out(visit, error)
            return
        self.sampled.add(group)
        check_errors(self.sampled, self.settings, self.max_error_share)
        async with self._changed:
            self.buffer.finish(group, teaches=self.token_credit.teaches(group))
            check_refills(self.buffer.filtered_in_a_row, self.settings, self.sampled.example)
            self._changed.notify_all()

    async def _leave_out(self, visit: PromptVisit, error: DataFailure) -> None:
        print(f"warning: prompt {visit.id} is left out: {error}", flush=True)
        self.recoveries.left_out += 1
        async with self._changed:
            self.buffer.leave_out(visit.number)
            check_refills(self.buffer.filtered_in_a_row, self.settings, str(error))
            self._changed.notify_all()

    async def _take_batch(self) -> list[ScoredGroup]:
        try:
            async with asyncio.timeout(self.settings.deadline_s), self._changed:
                await self._changed.wait_for(lambda: self._batch_size() > 0)
                batch = self.buffer.take(self._batch_size(), self.version)
                self.admission.observe(trained=len(batch), sampled=len(self.sampled.groups))
                return batch
        except TimeoutError:
            raise RlError(
                f"step {self.version}: {len(self.buffer.ready)} of {self.settings.groups_per_step} groups came within "
                f"rl.deadline_s={self.settings.deadline_s:g} s; still running are prompts "
                f"{sorted(self.buffer.running)[:8]}"
            ) from None

    def _check_agreement(self, step: int, groups: list[ScoredGroup], metrics: dict[str, float]) -> None:
        """Over the batch itself where it was on-policy; else older answers differ rightly, and a probe is begun."""
        if self.settings.staleness == 0:
            self._warn(step, metrics["agreement"])
            return
        del metrics["agreement"]
        self.probe.begin(step, groups)

    def _log_agreement(self, step: int, agreement: float) -> None:
        self.log.sink.log("rl", step, {"agreement": agreement})
        self._warn(step, agreement)

    def _log_evaluation(self, version: int, metrics: Mapping[str, float]) -> None:
        """With the step that made the version; the parent's with the first step."""
        self.log.sink.log("rl", max(0, version - 1), {**metrics, "evaluated_version": version})
        print(f"rl: version {version} scores {metrics[SCORE]:.4f}, the best is version {metrics['best_version']:.0f}")

    def _warn(self, step: int, agreement: float) -> None:
        threshold = self.settings.agreement_threshold or FLOAT32_AGREEMENT
        if agreement > threshold:
            print(
                f"warning: step {step}: log-probs of engine and learner differ by up to {agreement:.2e} "
                f"(rl.agreement_threshold {threshold:g})",
                flush=True,
            )
