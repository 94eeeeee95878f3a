"""Translation: corpus chrF and exact match of the greedy answers, and in which language they are.

The off-target ratio (arXiv 2403.14399) is 1 minus the share of answers in the target language; beside it stands which
language came instead, the source's or English.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dragoman.data.rows import PAIR_COLUMNS, Prompt
from dragoman.evaluation.chrf import corpus_chrf
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from dragoman.text.identification import is_on_target
from rewards.records import Score


class Translation(Task):
    """See the module note."""

    columns = (
        MetricColumn("chrf", "chrF", "score"),
        MetricColumn("exact_match", "exact"),
        MetricColumn("off_target", "off-target", higher_is_better=False),
    )
    required = PAIR_COLUMNS
    translates = True

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """Languages of the answer; an answer without letters is off target."""
        assert prompt.pair is not None, "a translation row has its columns"
        source, target = prompt.pair.direction
        judged = is_on_target(answer, target, source)
        no_letters = judged.on_target is None and judged.detected == "und"
        return Judgement(
            correct=_same(answer, prompt.reference),
            source_language=source,
            target_language=target,
            on_target=False if no_letters else judged.on_target,
            detected=judged.detected,
        )

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Quality and language of greedy translations."""
        responses, references = [o.response for o in outcomes], [o.reference for o in outcomes]
        return {
            "chrf": corpus_chrf(responses, references),
            "exact_match": mean(_same(o.response, o.reference) for o in outcomes),
            "off_target": mean(None if o.on_target is None else not o.on_target for o in outcomes),
            "source_share": _language_share(outcomes, lambda o: o.source_language),
            "english_share": _language_share(outcomes, lambda o: "en"),
            "undecided": float(sum(o.on_target is None for o in outcomes)),
        }


def _same(answer: str, reference: str) -> bool:
    return answer.strip() == reference.strip()


def _language_share(outcomes: Sequence[Outcome], language: Callable[[Outcome], str | None]) -> float | None:
    """Share of decided answers that are off target and in another given language."""
    decided = [o for o in outcomes if o.on_target is not None]
    return mean(not o.on_target and o.detected == language(o) for o in decided)


register_task("translation", Translation())
