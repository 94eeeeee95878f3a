"""Tasks whose verifier decides what is right: mathematics, reasoning, code, constraints, labels of preference."""

from collections.abc import Sequence

from dragoman.data.rows import Prompt
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from rewards.records import Score

FULL_MARKS = 1 - 1e-9


class Verified(Task):
    """An answer is right when the task's own reward kind gives it full marks."""

    kind: str
    """The reward kind that decides"""

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """Unknown, not wrong, when the check failed or the row has none."""
        value = next((c.value for c in score.components if c.kind == self.kind), None)
        return Judgement(correct=None if value is None else value >= FULL_MARKS, share=value)

    def sample_correct(self, prompt: Prompt, answer: str, score: Score) -> bool | None:
        return self.judge(prompt, answer, score).correct

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Share of greedy answers with full marks."""
        return {self.primary.metric: mean(outcome.correct for outcome in outcomes)}


class Math(Verified):
    """Sums and word problems with one right result."""

    kind = "math"
    columns = (MetricColumn("accuracy", "accuracy", optimised_by=("math",)),)


class Reasoning(Verified):
    """Generated puzzles with one right result, verified by the package that made them."""

    kind = "reasoning_gym"
    columns = (MetricColumn("accuracy", "accuracy", optimised_by=("reasoning_gym",)),)


class Code(Verified):
    """Programs that must pass every test case."""

    kind = "code"
    columns = (MetricColumn("pass_at_1", "pass@1", optimised_by=("code",)),)


class Constraints(Verified):
    """Instructions of which each can be checked."""

    kind = "constraints"
    columns = (MetricColumn("strict", "all kept", optimised_by=("constraints",)),)

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Share of rows with every constraint kept, and mean share of constraints kept."""
        return {**super().metrics(outcomes), "share": mean(outcome.share for outcome in outcomes)}


class PreferenceLabel(Task):
    """Which of two answers is better; what stands for it is its reward itself."""

    columns = (MetricColumn("reward_greedy", "reward", "reward", optimised_by=("preference_label",)),)


register_task("math", Math())
register_task("reasoning", Reasoning())
register_task("code", Code())
register_task("constraints", Constraints())
register_task("preference_label", PreferenceLabel())
