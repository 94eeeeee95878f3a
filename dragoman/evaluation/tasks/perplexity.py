"""Perplexity: how well a model predicts plain texts of a language, in bits per byte of UTF-8 (no matter of answers).

Bytes and not tokens, so that models with different tokenizers can be compared. The text is read by the engine as
`bits_per_byte` of translations is: the log-probabilities of all tokens but the first, which nothing stands before
(`loglikelihood_rolling` of lm-evaluation-harness, for texts that fit the context). The reward of such a row
means nothing.
"""

from collections.abc import Sequence

from dragoman.data.rows import Prompt
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from dragoman.evaluation.tasks.translation import bits_per_byte
from rewards.records import Score


class Perplexity(Task):
    """See the module note."""

    columns = (MetricColumn("bits_per_byte", "bits a byte", "reward", higher_is_better=False),)
    required = ("language",)

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """The language alone, so that each has its own figure."""
        return Judgement(source_language=prompt.columns["language"], target_language=prompt.columns["language"])

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Bits of all texts over bytes of all texts."""
        return {"bits_per_byte": bits_per_byte(outcomes)}


register_task("perplexity", Perplexity())
