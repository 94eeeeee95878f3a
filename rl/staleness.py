"""Staleness is paced, not discarded (AReaL, arXiv 2505.24298).

Weights have version v after v steps; a step trains on B groups. A group begun on version s and trained in
step v has staleness v - s, which must not pass eta. Starting groups only while

    accepted + running < (eta + v + 1) * B

leaves room for at most B groups that were begun at version v - eta or before and are not yet trained, so
step v can take all of them, provided that it does: a straggler must be waited for, and batches are filled
oldest first. (The capacity rule alone lets a slow group be overtaken and grow arbitrarily stale.)
eta = 0: strictly on-policy. `accepted` counts all groups ever accepted for training, trained ones included; a
group that is filtered out leaves `running` without entering `accepted`, which makes room for its replacement.
"""

from __future__ import annotations

from collections.abc import Iterable


def groups_that_may_start(
    *, version: int, staleness: int, groups_per_step: int, accepted: int, running: int
) -> int:
    """How many new groups may be started now."""
    return max(0, (staleness + version + 1) * groups_per_step - (accepted + running))


def batch_is_ready(
    *, version: int, staleness: int, groups_per_step: int, buffered: int, running_versions: Iterable[int]
) -> bool:
    """Whether step `version` may take its batch: enough groups, and no straggler that it would leave too old."""
    return buffered >= groups_per_step and all(begun > version - staleness for begun in running_versions)
