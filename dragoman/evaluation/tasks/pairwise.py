"""Answers beside those of a baseline, compared by a judge in both orders (`rewards.models.pairwise_judge`).

A judge likes long answers, so how much longer the answers are stands beside the win rate. A row that got no verdict
counts nowhere, and its number is told.
"""

from collections.abc import Sequence

from dragoman.data.rows import Prompt
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from rewards.records import Score

JUDGE = "pairwise_judge"


class Pairwise(Task):
    """See the module note."""

    columns = (MetricColumn("win_rate", "win rate", optimised_by=(JUDGE,)),)
    required = ("baseline",)

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """The verdict, and characters of both answers; nothing where there is no verdict."""
        verdict = next((one.value for one in score.components if one.kind == JUDGE), None)
        if verdict is None:
            return Judgement()
        return Judgement(counts=(verdict, float(len(answer)), float(len(str(prompt.columns["baseline"])))))

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Mean verdict, and the shares of wins and losses."""
        verdicts = [outcome.counts[0] for outcome in outcomes if outcome.counts]
        return {
            "win_rate": mean(verdicts),
            "wins": mean(value == 1 for value in verdicts),
            "losses": mean(value == 0 for value in verdicts),
        }


register_task("pairwise", Pairwise())
