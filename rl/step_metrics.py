"""The metrics of one RL step, from its groups: rewards by kind and by task, lengths, staleness, errors."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from rl.groups import ScoredGroup

FULL_MARKS = 1 - 1e-9
NOTHING = 1e-9


@dataclass
class SampledGroups:
    """All groups sampled since the last step, those that were filtered out included."""

    groups: list[ScoredGroup] = field(default_factory=list)
    checks: int = 0
    failed: int = 0
    example: str = ""

    def add(self, group: ScoredGroup) -> None:
        """One finished group."""
        self.groups.append(group)
        for sample in group.samples:
            self.checks += len(sample.score.components)
            for component in sample.score.failures:
                self.failed += 1
                self.example = (
                    f"{group.visit.id}, {component.kind}: {component.status} ({component.detail}) "
                    f"for answer {sample.completion.text[:200]!r}"
                )

    def filtered(self, teaches: Callable[[ScoredGroup], bool]) -> list[ScoredGroup]:
        """Those that teach nothing."""
        return [group for group in self.groups if not teaches(group)]

    @property
    def failing_share(self) -> float:
        """Share of checks that timed out or failed."""
        return self.failed / max(1, self.checks)


def step_metrics(trained: Sequence[ScoredGroup], sampled: SampledGroups, version: int) -> dict[str, float]:
    """What the policy earned: means over *all* sampled groups; and what the step trained on.

    The mean over the trained groups alone would leave out the prompts that are always solved or never.
    """
    groups = sampled.groups or trained  # behind the learner, all groups of a step may have ended before the last one
    samples = [s for g in groups for s in g.samples]
    rewards = [s.reward for s in samples if s.reward is not None]
    return {
        "reward_mean": fmean(rewards) if rewards else float("nan"),
        **_by_task_and_kind(groups),
        "length_mean": fmean(len(s.completion.token_ids) for s in samples),
        "truncated_share": fmean(s.completion.finish_reason == "length" for s in samples),
        "answer_tokens": float(sum(len(s.completion.token_ids) for g in trained for s in g.samples)),
        "staleness": fmean(version - g.started_version for g in trained),
        "groups_sampled": float(len(groups)),
        "groups_trained": float(len(trained)),
        "groups_all_right_share": _share(groups, lambda values: min(values) >= FULL_MARKS),
        "groups_all_wrong_share": _share(groups, lambda values: max(values) <= NOTHING),
        "reward_failed_share": sampled.failing_share,
    }


def _by_task_and_kind(groups: Sequence[ScoredGroup]) -> dict[str, float]:
    """Mean reward of each task and mean value of each reward kind, over everything that was sampled."""
    found: dict[str, list[float]] = defaultdict(list)
    for group in groups:
        for sample in group.known:
            found[f"reward_task/{group.visit.prompt.task}"].append(sample.reward or 0.0)
        for component in (c for s in group.samples for c in s.score.components if c.value is not None):
            found[f"reward/{component.kind}"].append(component.value or 0.0)
    return {name: fmean(values) for name, values in sorted(found.items())}


def _share(groups: Sequence[ScoredGroup], test: Callable[[list[float]], bool]) -> float:
    """Share of groups with known rewards that pass a test; 0 where there is none."""
    known = [group.rewards for group in groups if group.rewards]
    return sum(map(test, known)) / max(1, len(known))
