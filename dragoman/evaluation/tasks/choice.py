"""Multiple choice: the likeliest of the choices is the answer (`loglikelihood` of lm-evaluation-harness).

Where log-probabilities cannot be had (an endpoint, a file of outputs) the answer is read as a text: a choice itself, or
its letter.
"""

import re
from collections.abc import Sequence

from dragoman.data.rows import Prompt
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from rewards.records import Score

_LETTER = re.compile(r"\W*([A-Z])(?:\W|$)")


def picked(answer: str, choices: Sequence[str]) -> str | None:
    """The choice that an answer names; None where it names none."""
    text = answer.strip()
    for choice in choices:
        if text.casefold().rstrip(".") == choice.strip().casefold().rstrip("."):
            return choice
    found = _LETTER.match(text)
    place = ord(found[1]) - ord("A") if found else len(choices)
    return choices[place] if place < len(choices) else None


class Choice(Task):
    """See the module note."""

    columns = (MetricColumn("accuracy", "accuracy"),)
    required = ("choices",)

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """An answer that names no choice is wrong."""
        return Judgement(correct=picked(answer, prompt.columns["choices"]) == prompt.reference)

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Share of right choices."""
        return {"accuracy": mean(outcome.correct for outcome in outcomes)}


register_task("choice", Choice())
