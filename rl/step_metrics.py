"""The metrics of one RL step, from its groups: rewards by kind and by task, lengths, staleness, errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from rl.groups import ScoredGroup


@dataclass
class StepCounts:
    """Counts over all groups sampled since the last step, replaced ones included."""

    groups: int = 0
    equal: int = 0
    checks: int = 0
    failed: int = 0
    example: str = ""

    def count(self, group: ScoredGroup) -> None:
        """Add one finished group."""
        self.groups += 1
        rewards = group.rewards
        self.equal += bool(rewards) and max(rewards) - min(rewards) <= 1e-9
        for sample in group.samples:
            self.checks += len(sample.score.components)
            for component in sample.score.failures:
                self.failed += 1
                self.example = (
                    f"{group.visit.id}, {component.kind}: {component.status} ({component.detail}) "
                    f"for answer {sample.completion.text[:200]!r}"
                )

    @property
    def failing_share(self) -> float:
        """Share of checks that timed out or failed."""
        return self.failed / max(1, self.checks)


def step_metrics(groups: Sequence[ScoredGroup], counts: StepCounts, version: int) -> dict[str, float]:
    """Means over the trained groups, and counts over all sampled ones."""
    samples = [(g, s) for g in groups for s in g.samples]
    rewards = [s.reward for _, s in samples if s.reward is not None]
    by_task: dict[str, list[float]] = defaultdict(list)
    by_kind: dict[str, list[float]] = defaultdict(list)
    for group, sample in samples:
        if sample.reward is not None:
            by_task[f"reward_task/{group.visit.prompt.task}"].append(sample.reward)
        for component in sample.score.components:
            if component.value is not None:
                by_kind[f"reward/{component.kind}"].append(component.value)
    lengths = [len(s.completion.token_ids) for _, s in samples]
    return {
        "reward_mean": fmean(rewards) if rewards else float("nan"),
        **{name: fmean(values) for name, values in sorted({**by_task, **by_kind}.items())},
        "length_mean": fmean(lengths),
        "answer_tokens": float(sum(lengths)),
        "truncated_share": fmean(s.completion.finish_reason == "length" for _, s in samples),
        "staleness": fmean(version - g.started_version for g in groups),
        "groups_sampled": float(counts.groups),
        "groups_trained": float(len(groups)),
        "groups_equal_share": counts.equal / max(1, counts.groups),
        "reward_failed_share": counts.failing_share,
    }
