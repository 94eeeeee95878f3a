"""Instructed translation, judged by programs: how many of a prompt's rules are kept, times how good the translation is.

IF-MT without a judge. `if_mt` is the mean of (share of the rules kept) x (adequacy) over answers: a fluent answer that
ignores its rules earns as little as a list of placeholders. Adequacy is no metric that training usually optimises; an
answer in another language has 0 of it. Of a document (JSON, XML, HTML) only the texts are looked at for the language.

`terminology` is the same with the rules of a glossary alone: three suites ask for the same texts with no terms, with
their own, and with strangers'. What their own terms add is obedience, what strangers' change is distraction.
"""

from collections.abc import Sequence

from dragoman.data.rows import PAIR_COLUMNS, Prompt
from dragoman.evaluation.chrf import corpus_chrf
from dragoman.evaluation.corpus_metrics.rules import rules_times_quality
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, adequacy_of, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from dragoman.evaluation.tasks.translation import ADEQUACY, Translation
from dragoman.evaluation.tasks.verified import FULL_MARKS
from dragoman.text.identification import is_on_target
from dragoman.text.trees import text_of
from rewards.records import RewardSpec, Score

RULES = "mt_instructions"


class InstructedTranslation(Task):
    """See the module note."""

    columns: tuple[MetricColumn, ...] = (
        MetricColumn("if_mt", "rules x adequacy", optimised_by=(RULES, ADEQUACY)),
        MetricColumn("rules", "rules kept", optimised_by=(RULES,)),
        MetricColumn("strict", "all kept", optimised_by=(RULES,)),
        MetricColumn("adequacy", "adequacy", optimised_by=(ADEQUACY,)),
        MetricColumn("chrf", "chrF", "score", optimised_by=("chrf", "chrf++")),
    )
    required = PAIR_COLUMNS

    def measures(self, prompt: Prompt) -> tuple[RewardSpec, ...]:
        return Translation().measures(prompt)

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """The rules by the row's own reward; unknown, not broken, when that could not be computed."""
        assert prompt.pair is not None, "a translation row has its columns"
        value = next((c.value for c in score.components if c.kind == RULES), None)
        form = next((spec.args.get("format") for spec in prompt.specs if spec.kind == "direction"), None)
        source, target = prompt.pair.direction
        texts = text_of(answer, form), text_of(prompt.pair.source, form)
        judged = is_on_target(texts[0], target, source, source_text=texts[1])
        return Judgement(
            correct=None if value is None else value >= FULL_MARKS, share=value, source_language=source,
            target_language=target, on_target=judged.on_target, detected=judged.detected,
        )  # fmt: skip

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Rules, quality, and their product."""
        responses, references = [o.response for o in outcomes], [o.reference for o in outcomes]
        return {
            "if_mt": mean(rules_times_quality(o.share, adequacy_of(o)) for o in outcomes),
            "rules": mean(o.share for o in outcomes),
            "strict": mean(o.correct for o in outcomes),
            "adequacy": mean(adequacy_of(o) for o in outcomes),
            "chrf": corpus_chrf(responses, references),
        }


class Terminology(InstructedTranslation):
    """See the module note."""

    columns = (
        MetricColumn("rules", "terms used", optimised_by=(RULES,)),
        MetricColumn("chrf", "chrF", "score", optimised_by=("chrf", "chrf++")),
        MetricColumn("adequacy", "adequacy", optimised_by=(ADEQUACY,)),
    )


register_task("mt_instructions", InstructedTranslation())
register_task("terminology", Terminology())
