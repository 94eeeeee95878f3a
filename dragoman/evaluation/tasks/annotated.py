"""Tower's tasks beside translation: post-editing, marked errors, ratings, named entities, grammar (arXiv 2402.17733).

What an answer counts is the reward's own count (`rewards.annotation`), so that reward and metric cannot differ. It
stands in `Judgement.counts`; the corpus metrics of `corpus_metrics.annotated` sum it up, as tower-eval does.
"""

from collections.abc import Sequence
from dataclasses import astuple, replace

from dragoman.data.rows import PAIR_COLUMNS, Prompt
from dragoman.evaluation.chrf import corpus_chrf
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome, mean
from dragoman.evaluation.tasks.base import MetricColumn, Task, register_task
from dragoman.evaluation.tasks.translation import Translation
from rewards.annotation.edits import BETA, tally_edits
from rewards.annotation.error_spans import judge_marks
from rewards.annotation.named_entities import OUTSIDE, read_tags, tally_tags
from rewards.annotation.rating import read_rating
from rewards.annotation.tallies import Tally
from rewards.records import RewardSpec, Score
from rewards.translation.quality import sentence_score


class PostEditing(Translation):
    """A translation to be mended: is the answer nearer to the reference than the draft was?"""

    columns = (
        MetricColumn("improved", "drafts improved", optimised_by=("chrf", "chrf++")),
        MetricColumn("chrf", "chrF", "score", optimised_by=("chrf", "chrf++")),
        MetricColumn("draft_chrf", "chrF of the drafts", "score"),
        MetricColumn("off_target", "off-target", higher_is_better=False, optimised_by=("direction",)),
    )
    required = (*PAIR_COLUMNS, "draft")
    translates = False

    def measures(self, prompt: Prompt) -> tuple[RewardSpec, ...]:
        return ()

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """Sentence chrF of answer and draft."""
        draft = str(prompt.columns["draft"])
        references = [prompt.reference, *prompt.more_references]
        counts = tuple(sentence_score("CHRF", text, references) for text in (answer, draft))
        return replace(super().judge(prompt, answer, score), draft=draft, counts=counts)

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Share of drafts that were improved, and corpus chrF of answers and drafts."""
        references = [o.reference for o in outcomes]
        return {
            "improved": mean(o.counts[0] > o.counts[1] for o in outcomes),
            "worsened": mean(o.counts[0] < o.counts[1] for o in outcomes),
            "chrf": corpus_chrf([o.response for o in outcomes], references),
            "draft_chrf": corpus_chrf([o.draft for o in outcomes], references),
            "off_target": mean(None if o.on_target is None else not o.on_target for o in outcomes),
        }


class Counted(Task):
    """A task whose answers give things of which some are wanted."""

    beta = 1.0

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """F over all answers together (micro-averaged); None where nothing was wanted and nothing given."""
        sums = [sum(values) for values in zip(*(o.counts for o in outcomes), strict=True)]
        return {self.primary.metric: Tally(*sums).f(self.beta) if any(sums) else None}


class ErrorSpans(Counted):
    """Errors of a translation, marked."""

    columns = (MetricColumn("span_f1", "span F1", optimised_by=("error_spans",)),)
    required = ("translation", "spans")

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        tally, _ = judge_marks(answer, prompt.columns["translation"], prompt.columns["spans"])
        return _judged(prompt, astuple(tally))


class NamedEntities(Counted):
    """Entities of a text, tagged. An answer in no known form has found none."""

    columns = (MetricColumn("entity_f1", "entity F1", optimised_by=("named_entities",)),)
    required = ("tokens", "tags")

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        tokens, types = prompt.columns["tokens"], prompt.columns.get("types")
        found = read_tags(answer, tokens, types) or [OUTSIDE] * len(tokens)
        wanted = [tag if types is None or tag[2:] in types else OUTSIDE for tag in prompt.columns["tags"]]
        return _judged(prompt, astuple(tally_tags(found, wanted)))


class Grammar(Counted):
    """A text, corrected."""

    beta = BETA
    columns = (MetricColumn("edit_f0.5", "edit F0.5", optimised_by=("edits",)),)
    required = ("source",)

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        references = [prompt.reference, *prompt.more_references]
        tally = tally_edits(answer, prompt.columns["source"], references)
        return _judged(prompt, astuple(tally), answer.strip() in references)


class Quality(Task):
    """A rating of a translation, compared with that of people."""

    columns = (MetricColumn("distance", "distance", "reward", higher_is_better=False, optimised_by=("rating",)),)
    required = ("gold", "low", "high")

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """The right number, and the answer's where it gives one."""
        gold, low, high = (float(prompt.columns[name]) for name in self.required)
        rated = read_rating(answer, low, high)
        return _judged(prompt, (gold,) if rated is None else (gold, rated))

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Mean distance of the ratings that could be read, and the share that could not."""
        pairs = [o.counts for o in outcomes]
        return {
            "distance": mean(abs(pair[0] - pair[1]) for pair in pairs if len(pair) == 2),
            "unread": mean(len(pair) < 2 for pair in pairs),
        }


def _judged(prompt: Prompt, counts: tuple[float, ...], correct: bool | None = None) -> Judgement:
    """With the languages of the row, so that directions have figures of their own."""
    source, target = (prompt.columns.get(name) for name in ("source_language", "target_language"))
    return Judgement(correct=correct, source_language=source, target_language=target, counts=counts)


for _name, _task in (
    ("post_editing", PostEditing()), ("error_spans", ErrorSpans()), ("named_entities", NamedEntities()),
    ("grammar", Grammar()), ("quality", Quality()),
):  # fmt: skip
    register_task(_name, _task)
