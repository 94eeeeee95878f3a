"""Staleness is paced, not discarded (AReaL, arXiv 2505.24298).

Weights have version v after v steps; a step trains on B groups. A group started now is trained on no
earlier than after all groups accepted or running before it, that is in step (accepted + running) // B, on
weights of that version. It was started on version v, so its staleness is that step minus v. Keeping

    accepted + running < (eta + v + 1) * B

keeps (accepted + running) // B - v <= eta for each new group. eta = 0: strictly on-policy.
`accepted` counts all groups ever accepted for training, trained ones included; a group that is filtered
out leaves `running` without entering `accepted`, which makes room for its replacement.
"""

from __future__ import annotations


def groups_that_may_start(
    *, version: int, staleness: int, groups_per_step: int, accepted: int, running: int
) -> int:
    """How many new groups may be started now."""
    return max(0, (staleness + version + 1) * groups_per_step - (accepted + running))
