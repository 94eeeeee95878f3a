"""Staleness is paced, not discarded (AReaL, arXiv 2505.24298).

Weights have version v after v steps; a step trains on B groups. A group begun on version s and trained in
step v has staleness v - s, which must not pass eta. Starting groups only while

    accepted + running < (eta + v + 1) * B

bounds how many groups there are. Alone it lets a slow group be overtaken by later ones and grow arbitrarily
stale; so batches are filled oldest first, and a batch waits for a straggler when without it the groups left
could no longer all be trained within the bound (earliest deadline first).
eta = 0: strictly on-policy. `accepted` counts all groups ever accepted for training, trained ones included; a
group that is filtered out leaves `running` without entering `accepted`, which makes room for its replacement.

With eta = 0 replacements come one wave after the other, and a step waits for the last of them. `speculative_room`
starts as many groups at once as the last step's share of usable ones calls for. The step still trains on the first
B usable groups in the order of their numbers, and the prompts of the others go back into the queue: the batches
are those of one-by-one replacement, bit for bit, at the price of a few answers thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def groups_that_may_start(*, version: int, staleness: int, groups_per_step: int, accepted: int, running: int) -> int:
    """How many new groups may be started now."""
    return max(0, (staleness + version + 1) * groups_per_step - (accepted + running))


def speculative_room(*, missing: int, running: int, expected_share: float) -> int:
    """How many new groups to start so that, with those running, about `missing` come out usable.

    `expected_share`: the share of groups expected to be usable, in (0, 1].
    """
    return max(0, math.ceil(max(0, missing) / expected_share) - running)


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
