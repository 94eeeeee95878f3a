"""Do engine and learner agree? Where a batch was not sampled under the learner's weights, a probe beside training.

    sync of step n -> the learner reads a few answers of the batch just trained on   (before the next step begins)
                   -> the engines read the same ones, while that step trains         (until the next sync)
                   -> the largest difference, logged with step n

Both read whole sequences under the weights of that sync and at temperature 1, so the answers need not be of these
weights, and nobody has to wait until fresh ones are sampled. If the next sync begins before the engines have answered,
nobody can say whose weights they read with: the figure is thrown away, and the probe begins again after that sync.
After the last step none follows, so that one is always measured.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from dragoman.learner import Trainer
from dragoman.learner.encoding import answer_sequence
from dragoman.rollout import Sampler
from rl.groups import ScoredGroup
from rl.settings import RlSettings

PROBES = 4
PROBE_TOKENS = 64
"""Of an answer; its prompt is read as well"""


class AgreementProbe:
    """Measures every `rl.agreement_every` steps, at the first step of a process, and at the last.

    `watch` gets each measurement, so that its error ends the run; `report` gets the step and its figure.
    """

    def __init__(
        self,
        trainer: Trainer,
        sampler: Sampler,
        settings: RlSettings,
        watch: Callable[[Awaitable[None]], None],
        report: Callable[[int, float], None],
    ) -> None:
        self.trainer, self.sampler, self.settings = trainer, sampler, settings
        self.watch, self.report = watch, report
        self._next: int | None = None
        self._syncs = 0
        self._task: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[list[np.ndarray]] | None = None

    def begin(self, step: int, groups: Sequence[ScoredGroup]) -> None:
        """After the sync of `step`: measure if it is time, with answers of these groups. Returns at once."""
        last = step == self.settings.steps - 1
        if not last and self._next is not None and step < self._next:
            return
        if self._task is not None and not self._task.done():  # a sync has overtaken it
            if not last:
                return
            self._task.cancel()
        texts = probed(groups, self.settings.max_tokens)
        units = [(answer_sequence(text[:1], text[1:]),) for text in texts]
        self._reading = asyncio.create_task(self.trainer.logprobs(units, 1.0))
        self._task = asyncio.create_task(self._measure(step, texts, self._reading, self._syncs))
        self.watch(self._task)

    async def learner_is_free(self) -> None:
        """The learner has read its part: it may go on to other weights."""
        if self._reading is not None:
            await self._reading

    def sync_begins(self) -> None:
        """From now on the engines' weights change."""
        self._syncs += 1

    async def finish(self) -> None:
        """The figure of the last step."""
        if self._task is not None:
            await self._task

    async def _measure(
        self, step: int, texts: Sequence[tuple[int, ...]], reading: "asyncio.Task[list[np.ndarray]]", syncs: int
    ) -> None:
        learned = await reading
        served = await self.sampler.logprobs(texts)
        if self._syncs != syncs:
            return
        self._next = step + self.settings.agreement_every
        self.report(step, largest_difference(learned, served))


def probed(groups: Sequence[ScoredGroup], max_tokens: int) -> list[tuple[int, ...]]:
    """An answer each of a few groups, behind its prompt: those with the shortest prompts, which cost least to read.

    An answer is cut one token short of the longest, since an engine reads only what leaves it space for a token more.
    """
    chosen = sorted(groups, key=lambda group: len(group.visit.token_ids))[:PROBES]
    length = min(PROBE_TOKENS, max_tokens - 1)
    return [(*group.visit.token_ids, *group.samples[0].completion.token_ids[:length]) for group in chosen]


def largest_difference(learned: Sequence[np.ndarray], served: Sequence[Sequence[float]]) -> float:
    """Largest |log p (engine) - log p (learner)|; the learner's first value of a sequence is of no prediction."""
    pairs = zip(learned, served, strict=True)
    return max(float(np.abs(np.asarray(ours[1:]) - np.asarray(theirs)).max(initial=0.0)) for ours, theirs in pairs)
