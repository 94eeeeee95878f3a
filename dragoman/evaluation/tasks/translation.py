"""Translation: quality of the greedy answers by two families of metric, and their language by two identifiers.

Corpus chrF and exact match compare characters with the reference. `adequacy` compares meanings, by sentence embeddings
(`rewards.translation.adequacy`); those know no language, so an answer that is off target counts 0. Training usually
optimises chrF and the first identifier (reward and gate); adequacy and the second identifier then stay as witnesses.

`bits_per_byte` is no matter of answers: how well the model predicts the held-out references as plain texts. Pretraining
should lower it, and no later stage should raise it much.

The off-target ratio (arXiv 2403.14399) is 1 minus the share of answers in the target language; beside it stands which
language came instead, the source's or English.
"""

from collections.abc import Callable, Iterable, Sequence

from dragoman.data.rows import PAIR_COLUMNS, Prompt
from dragoman.evaluation.chrf import corpus_chrf
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, adequacy_of, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from dragoman.text.identification import is_on_target
from dragoman.text.languages import same_language
from dragoman.text.second_identifier import second_opinion
from rewards.records import RewardSpec, Score

ADEQUACY = "adequacy"


class Translation(Task):
    """See the module note."""

    columns: tuple[MetricColumn, ...] = (
        MetricColumn("chrf", "chrF", "score", optimised_by=("chrf", "chrf++")),
        MetricColumn("adequacy", "adequacy", optimised_by=("adequacy",)),
        MetricColumn("exact_match", "exact", optimised_by=("exact_match",)),
        MetricColumn("off_target", "off-target", higher_is_better=False, optimised_by=("direction",)),
        MetricColumn("off_target_second", "off-target, CLD2", higher_is_better=False),
        MetricColumn("bits_per_byte", "bits a byte", "reward", higher_is_better=False),
    )
    required: tuple[str, ...] = PAIR_COLUMNS
    translates = True

    def measures(self, prompt: Prompt) -> tuple[RewardSpec, ...]:
        """Adequacy against source and reference."""
        assert prompt.pair is not None, "a translation row has its columns"
        if not prompt.pair.source.strip():
            return ()
        given = {"source": prompt.pair.source, "languages": list(prompt.pair.direction), "reference": prompt.reference}
        return (RewardSpec(ADEQUACY, args=given),)

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """Languages of the answer; an answer without letters is off target."""
        assert prompt.pair is not None, "a translation row has its columns"
        source, target = prompt.pair.direction
        judged = is_on_target(answer, target, source, source_text=prompt.pair.source)
        return Judgement(
            correct=_same(answer, prompt.reference),
            source_language=source,
            target_language=target,
            on_target=judged.on_target,
            detected=judged.detected,
            on_target_second=second_opinion(answer, target, source, source_text=prompt.pair.source).on_target,
        )

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Quality and language of greedy translations."""
        responses, references = [o.response for o in outcomes], [o.reference for o in outcomes]
        return {
            "chrf": corpus_chrf(responses, references),
            "exact_match": mean(_same(o.response, o.reference) for o in outcomes),
            "adequacy": mean(adequacy_of(o) for o in outcomes),
            "off_target": _off_target(o.on_target for o in outcomes),
            "off_target_second": _off_target(o.on_target_second for o in outcomes),
            "bits_per_byte": bits_per_byte(outcomes),
            "source_share": _language_share(outcomes, lambda o: o.source_language),
            "english_share": _language_share(outcomes, lambda o: "en"),
            "undecided": float(sum(o.on_target is None for o in outcomes)),
        }


def bits_per_byte(outcomes: Sequence[Outcome]) -> float | None:
    """How badly the model predicts the references as texts: perplexity per byte of UTF-8, as a power of 2."""
    known = [(o.reference_bits, len(o.reference.encode())) for o in outcomes if o.reference_bits is not None]
    return sum(bits for bits, _ in known) / sum(size for _, size in known) if known else None


def _off_target(verdicts: Iterable[bool | None]) -> float | None:
    """Share of the decided answers that are in another language."""
    return mean(None if on_target is None else not on_target for on_target in verdicts)


def _same(answer: str, reference: str) -> bool:
    return answer.strip() == reference.strip()


def _language_share(outcomes: Sequence[Outcome], language: Callable[[Outcome], str | None]) -> float | None:
    """Share of decided answers that are off target and in another given language."""
    decided = [o for o in outcomes if o.on_target is not None]
    return mean(not o.on_target and same_language(o.detected or "", language(o) or "") for o in decided)


register_task("translation", Translation())
