"""Groups between the two pumps: those being sampled, those ready to train on, and which prompt comes next."""

from collections.abc import Sequence

from rl.groups import ScoredGroup


class GroupBuffer:
    """What the rollout pump fills and the train pump empties. Plain state; the controller holds the lock."""

    def __init__(self) -> None:
        self.next_prompt = 0
        """Number of the first prompt that was never started"""
        self.accepted = 0
        """Groups accepted so far, trained ones included"""
        self.filtered_in_a_row = 0
        self.ready: list[ScoredGroup] = []
        """Accepted, not yet trained on"""
        self.running: dict[int, int] = {}
        """Prompts being sampled: number -> version they were begun on"""
        self.interrupted: list[int] = []
        """Prompts that a killed run was sampling; they come first"""
        self.taken_for = -1
        """The version that the last batch was taken for"""

    def start(self, version: int) -> int:
        """The number of the next prompt, from now on running."""
        if self.interrupted:
            number = self.interrupted.pop(0)
        else:
            number = self.next_prompt
            self.next_prompt += 1
        self.running[number] = version
        return number

    def finish(self, group: ScoredGroup, *, teaches: bool) -> None:
        """A group is complete: keep it, or let it be replaced."""
        if teaches:
            self.ready.append(group)
            self.accepted += 1
            self.filtered_in_a_row = 0
        else:
            self.filtered_in_a_row += 1
        self.running.pop(group.visit.number, None)

    def leave_out(self, number: int) -> None:
        """A prompt that has no group."""
        self.filtered_in_a_row += 1
        self.running.pop(number, None)

    def take(self, count: int, version: int) -> list[ScoredGroup]:
        """The `count` oldest groups, for the step of a version."""
        self.ready.sort(key=lambda group: (group.started_version, group.visit.number))
        batch, self.ready = self.ready[:count], self.ready[count:]
        self.taken_for = version
        return batch

    @property
    def in_flight(self) -> Sequence[int]:
        """Prompts to ask again after a kill."""
        return [*self.interrupted, *self.running]
