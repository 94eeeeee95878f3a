"""When groups start and when a batch is ready. Staleness is paced, not discarded (AReaL, arXiv 2505.24298).

Weights have version v after v steps; a step trains on B groups. A group begun on version s and trained in
step v has staleness v - s, which must not pass eta. Starting groups only while

    accepted + running < (eta + v + 1) * B

bounds how many groups there are. Alone it lets a slow group be overtaken by later ones and grow arbitrarily
stale; so batches are filled oldest first, and a batch waits for a straggler when without it the groups left
could no longer all be trained within the bound (earliest deadline first).
eta = 0: strictly on-policy. `accepted` counts all groups ever accepted for training, trained ones included; a
group that is filtered out leaves `running` without entering `accepted`, which makes room for its replacement.

With eta = 0 a filtered group could be replaced only after the others, and a step would wait for replacements of
replacements, each as long as its longest answer. So groups start in waves, large enough by `wave_size` that one wave
is nearly always enough, and a step trains on *all* usable groups of its waves, B or more. Nothing is thrown away. A
wave starts when the one before is complete, so which groups a step gets does not depend on timing.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from rl.buffer import GroupBuffer
from rl.settings import RlSettings

FIRST_GUESS = 0.5
"""Share of groups that are usable, before any was seen"""


class Admission(ABC):
    """A rule for the buffer between the pumps. It holds no groups itself."""

    def __init__(self, settings: RlSettings) -> None:
        self.settings = settings

    usable_share = FIRST_GUESS
    """Of the groups tried; part of a snapshot, because a rule may depend on it"""

    @abstractmethod
    def may_start(self, buffer: GroupBuffer, version: int) -> int:
        """How many groups may be started now, while the engines have weights of this version."""

    @abstractmethod
    def observe(self, *, trained: int, sampled: int) -> None:
        """Hear how many groups a step trained on, of how many sampled since the last one."""

    @abstractmethod
    def batch_size(self, buffer: GroupBuffer, version: int) -> int:
        """How many groups the step of this version trains on if it starts now; 0 = it must wait."""


class WholeWaves(Admission):
    """With staleness 0: start a wave of groups at once, train on all of it that is usable, start the next."""

    def may_start(self, buffer: GroupBuffer, version: int) -> int:
        """A whole wave, when the one before is complete and more is needed."""
        if buffer.running or buffer.taken_for == version or version == self.settings.steps:
            return 0
        return wave_size(missing=self.settings.groups_per_step - len(buffer.ready), expected_share=self.usable_share)

    def batch_size(self, buffer: GroupBuffer, version: int) -> int:
        """All usable groups of complete waves, once they are enough."""
        complete = len(buffer.ready) >= self.settings.groups_per_step and not buffer.running
        return len(buffer.ready) if complete else 0

    def observe(self, *, trained: int, sampled: int) -> None:
        """The estimate halves the weight of the past with every step."""
        self.usable_share = (self.usable_share + trained / sampled) / 2


class PacedByStaleness(Admission):
    """Groups start as the bound on staleness allows; a step takes exactly its number of groups."""

    def observe(self, *, trained: int, sampled: int) -> None:
        """Nothing to learn: every filtered group is replaced."""

    def may_start(self, buffer: GroupBuffer, version: int) -> int:
        """As many as can still be trained on within the bound and within the run."""
        s, running = self.settings, len(buffer.running)
        wanted = groups_that_may_start(
            version=version, staleness=s.staleness, groups_per_step=s.groups_per_step,
            accepted=buffer.accepted, running=running,
        )  # fmt: skip
        return min(wanted, max(0, s.steps * s.groups_per_step - buffer.accepted - running))

    def batch_size(self, buffer: GroupBuffer, version: int) -> int:
        """The recipe's number, unless the batch has to wait for a straggler."""
        s = self.settings
        ready = batch_is_ready(
            version=version, staleness=s.staleness, groups_per_step=s.groups_per_step,
            buffered=[group.started_version for group in buffer.ready], running=list(buffer.running.values()),
        )  # fmt: skip
        return s.groups_per_step if ready else 0


def admission_of(settings: RlSettings) -> Admission:
    """The rule that a recipe asks for."""
    return WholeWaves(settings) if settings.staleness == 0 and settings.whole_waves else PacedByStaleness(settings)


def groups_that_may_start(*, version: int, staleness: int, groups_per_step: int, accepted: int, running: int) -> int:
    """How many new groups may be started now."""
    return max(0, (staleness + version + 1) * groups_per_step - (accepted + running))


def wave_size(*, missing: int, expected_share: float) -> int:
    """How many groups to start at once so that `missing` come out usable, but for bad luck.

    The least N whose expected number of usable groups is `missing` plus one standard deviation of a binomial of N.
    `expected_share`: the share of groups expected to be usable, in (0, 1]; with 1 just `missing`.
    """
    if missing <= 0:
        return 0
    spread = math.sqrt(expected_share * (1 - expected_share))
    root = (spread + math.sqrt(spread**2 + 4 * expected_share * missing)) / (2 * expected_share)
    return math.ceil(root**2 - 1e-9)


def batch_is_ready(
    *, version: int, staleness: int, groups_per_step: int, buffered: Sequence[int], running: Sequence[int]
) -> bool:
    """Whether step `version` may train on the oldest buffered groups now.

    `buffered`, `running`: the version each group was begun on. Besides a full batch this needs that what is
    left can still be trained in time: for every later step u, at most (u - version) * B of the groups left
    may have to be trained before u's weights, i.e. be begun on version u - 1 - eta or before.
    """
    if len(buffered) < groups_per_step:
        return False
    left = sorted([*sorted(buffered)[groups_per_step:], *running])
    return all(
        sum(begun <= last - staleness for begun in left) <= (last - version) * groups_per_step
        for last in range(version, version + staleness + 1)
    )
