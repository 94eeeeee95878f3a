"""An evaluation outside of a run: suites, an answerer, a scorer and a folder for what comes out.

    suites -> questions -> answers (kept as they come) -> choice among samples -> scores -> corpus metrics -> Evaluation

The order of the work is the price of its mistakes: what can be wrong with suites and metrics is found before an answer
is asked for, and answers are on disk before anything is scored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dragoman.data.rows import Conversation, Prompt
from dragoman.evaluation.answering import Answer, Answerer, AnswerStore, Decoding, ask_all, questions_of
from dragoman.evaluation.answering.choosing import BEST, MBR, best_choices, mbr_choice
from dragoman.evaluation.corpus_metrics.base import CorpusMetric
from dragoman.evaluation.corpus_metrics.kinds import KindMetric, with_kinds
from dragoman.evaluation.corpus_metrics.table import find_metric
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.intervals import with_interval
from dragoman.evaluation.metrics import suite_result
from dragoman.evaluation.outcomes import Evaluation, MetricValue, Outcome, StageTitle, SuiteResult
from dragoman.evaluation.suite_files import LoadedSuite, MetricEntry
from rewards.records import Scorable, Score, Scorer

Told = Callable[[str, int, int], None]
"""What is being done, how much of it is done, of how much"""
DEFAULT_METRICS = {
    "translation": ("gated_chrf", "chrf", "chrf++", "bleu", "spbleu", "ter", "adequacy", "off_target",
                    "off_target_second", "copies", "repetition", "unfinished", "length_ratio", "numbers"),
    "code": ("pass@1",),
    "choice": ("accuracy",),
    "post_editing": ("gated_chrf", "chrf", "ter", "draft_gain", "draft_ter_gain", "off_target"),
    "error_spans": ("span_f1", "span_precision", "span_recall"),
    "quality": ("spearman", "pearson", "kendall", "unread"),
    "named_entities": ("entity_f1", "entity_precision", "entity_recall"),
    "perplexity": ("bits_per_byte", "unfinished"),
    "pairwise": ("win_rate", "wins", "losses", "characters_longer"),
    "grammar": ("edit_f0.5", "edit_precision", "edit_recall", "ter"),
    "constraints": ("strict", "rules"),
    "mt_instructions": ("if_mt", "rules", "strict", "adequacy", "chrf", "off_target"),
    "terminology": ("rules", "chrf", "adequacy", "off_target"),
}  # fmt: skip
HEADLINES = {
    "translation": "gated_chrf", "code": "pass@1", "math": "accuracy", "reasoning": "accuracy", "choice": "accuracy",
    "post_editing": "gated_chrf", "error_spans": "span_f1", "quality": "spearman", "named_entities": "entity_f1",
    "grammar": "edit_f0.5", "perplexity": "bits_per_byte", "pairwise": "win_rate",
    "constraints": "strict", "mt_instructions": "if_mt", "terminology": "rules",
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What is to be evaluated, and how."""

    suites: tuple[LoadedSuite, ...]
    answerer: Answerer
    decoding: Decoding
    shots: int = 0
    examples: tuple[Conversation, ...] = ()
    choose: str | None = None
    """mbr, best:KIND, or None for the greedy answer"""
    metrics: tuple[MetricEntry, ...] = ()
    """In place of those of the suites"""
    title: StageTitle = field(default_factory=lambda: StageTitle("model", "model"))


def headline(task: str) -> str:
    """The corpus metric by which systems are ranked on a task."""
    return HEADLINES.get(task, "reward")


def metrics_of(loaded: LoadedSuite, asked: Sequence[MetricEntry] = ()) -> list[MetricEntry]:
    """The corpus metrics of a suite, its headline first; MetricError for one that is not known."""
    task = loaded.suite.task_name
    own = tuple(loaded.settings.metrics) if loaded.settings is not None else ()
    usual = tuple(MetricEntry(name=name) for name in DEFAULT_METRICS.get(task, (headline(task),)))
    chosen = {entry.name: entry for entry in (asked or own or usual)}
    found = [chosen.pop(headline(task), MetricEntry(name=headline(task))), *chosen.values()]
    for entry in found:
        find_metric(entry.name)
    return found


def kinds_of(job: Job) -> set[str]:
    """Every reward kind that the evaluation asks."""
    found = {entry.name for loaded in job.suites for entry in metrics_of(loaded, job.metrics) if _is_kind(entry)}
    for loaded in job.suites:
        for prompt in loaded.suite.prompts:
            found |= {spec.kind for spec in (*prompt.specs, *loaded.suite.task.measures(prompt))}
    return found | ({job.choose.removeprefix(BEST)} if job.choose and job.choose.startswith(BEST) else set())


def _is_kind(entry: MetricEntry) -> bool:
    return isinstance(find_metric(entry.name), KindMetric)


async def run_job(job: Job, store: AnswerStore | None, scorer: Scorer, told: Told) -> Evaluation:
    """The evaluation of all suites."""
    answers = await _answers(job, store, scorer, told)
    found: list[Evaluation] = []
    for loaded in job.suites:
        found.append(await _scored(job, loaded, answers, _counted(job, loaded, answers, scorer, told)))
    suites = tuple(result for one in found for result in one.suites)
    return Evaluation(job.title, suites, tuple(outcome for one in found for outcome in one.outcomes))


async def _answers(job: Job, store: AnswerStore | None, scorer: Scorer, told: Told) -> dict[str, list[Answer]]:
    """By row, its answer and its samples."""
    questions = [
        question
        for loaded in job.suites
        for question in questions_of(loaded, job.answerer, job.decoding, job.shots, job.examples)
    ]
    try:
        given = await ask_all(job.answerer, questions, store, lambda done, total: told("answers", done, total))
    finally:
        job.answerer.close()
    found: dict[str, list[Answer]] = {}
    for question, answer in zip(questions, given, strict=True):
        found.setdefault(question.id, []).append(answer)
    return await _chosen(job, found, scorer) if job.choose else found


async def _chosen(job: Job, answers: Mapping[str, list[Answer]], scorer: Scorer) -> dict[str, list[Answer]]:
    """By row, the chosen sample before all of them."""
    prompts = [p for loaded in job.suites for p in loaded.suite.prompts if p.task not in ("choice", "perplexity")]
    rows = [(prompt, [answer.text for answer in answers[prompt.id]]) for prompt in prompts]
    if job.choose == MBR:
        places = [mbr_choice(samples) for _, samples in rows]
    else:
        assert job.choose is not None
        places = await best_choices(job.choose.removeprefix(BEST), rows, scorer)
    chosen = {p.id: [answers[p.id][place], *answers[p.id]] for p, place in zip(prompts, places, strict=True)}
    return {**answers, **chosen}


async def _scored(job: Job, loaded: LoadedSuite, answers: Mapping[str, list[Answer]], scorer: Scorer) -> Evaluation:
    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        return [[answer.text for answer in answers[prompt.id]] for prompt in prompts]

    evaluation = await evaluate([loaded.suite], generate, scorer, job.title)
    entries = metrics_of(loaded, job.metrics)
    kinds = {entry.name: entry.arguments for entry in entries if _is_kind(entry)}
    outcomes = [_as_answered(outcome, answers[outcome.id][0]) for outcome in evaluation.outcomes]
    measured = await with_kinds(list(zip(loaded.suite.prompts, outcomes, strict=True)), kinds, scorer)
    result = suite_result(loaded.name, loaded.suite.task_name, outcomes)
    result = _with_metrics(result, [entry.name for entry in entries], measured.outcomes, measured.reasons)
    return Evaluation(job.title, (result,), measured.outcomes)


def _as_answered(outcome: Outcome, answer: Answer) -> Outcome:
    """With what the answer says beside its text: how it ended, and of a text that was read its bits."""
    read = outcome.task == "perplexity" and answer.logprobs
    bits = -answer.logprobs[0] / math.log(2) if read else outcome.reference_bits
    return replace(outcome, finish_reason=answer.finish_reason, reference_bits=bits)


def _with_metrics(
    result: SuiteResult, names: Sequence[str], outcomes: Sequence[Outcome], reasons: Mapping[str, str]
) -> SuiteResult:
    """A suite's result with its corpus metrics, of the whole and of each direction."""
    directions = dict.fromkeys(o.direction for o in outcomes if o.direction)
    parts = {d: _values(names, [o for o in outcomes if o.direction == d], reasons) for d in directions}
    whole = _values(names, outcomes, reasons, with_interval)
    return replace(result, measured=whole, measured_by_direction=parts if len(parts) > 1 else {})


def _values(
    names: Iterable[str], outcomes: Sequence[Outcome], reasons: Mapping[str, str],
    measure: Callable[[CorpusMetric, Sequence[Outcome]], MetricValue] = CorpusMetric.measure,
) -> tuple[MetricValue, ...]:  # fmt: skip
    values = [measure(find_metric(name), outcomes) for name in names]
    return tuple(replace(v, reason=reasons[v.name]) if v.value is None and v.name in reasons else v for v in values)


def _counted(
    job: Job, loaded: LoadedSuite, answers: Mapping[str, list[Answer]], scorer: Scorer, told: Told
) -> _Counted:
    """The scorer of a suite, which tells how far it is: each answer, each measure beside, each kind asked for."""
    kinds = sum(map(_is_kind, metrics_of(loaded, job.metrics)))
    total = sum(
        len(answers[prompt.id]) + bool(loaded.suite.task.measures(prompt)) + kinds for prompt in loaded.suite.prompts
    )
    return _Counted(scorer, lambda done: told(f"scoring {loaded.name}", done, total))


class _Counted:
    """A scorer that tells how much it has scored."""

    def __init__(self, scorer: Scorer, told: Callable[[int], None]) -> None:
        self._scorer, self._told, self._done = scorer, told, 0

    async def score(self, prompt: Scorable, response: str) -> Score:
        return (await self.score_many([(prompt, response)]))[0]

    async def score_group(self, prompt: Scorable, responses: Sequence[str]) -> list[Score]:
        return await self._scorer.score_group(prompt, responses)

    async def score_many(self, answers: Sequence[tuple[Scorable, str]]) -> list[Score]:
        found = await self._scorer.score_many(answers)
        self._done += len(answers)
        self._told(self._done)
        return found
