"""Stages side by side: which metrics stand for a run, how they moved, and whether that is beyond chance.

Terminal table and HTML report both read from here, so that they never disagree. A stage's parent is the stage
before it among those evaluated.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy.stats import false_discovery_control

from dragoman.evaluation.outcomes import Evaluation, MetricValue, Outcome, SuiteResult, adequacy_of, mean
from dragoman.evaluation.statistics import PairedTest, paired_bootstrap, paired_bootstrap_chrf
from dragoman.evaluation.tasks import MetricColumn, Task, find_task
from dragoman.evaluation.tasks.base import Unit

OPTIMISED = "†"
"""Stands at a metric that training optimised: its gain is no independent evidence"""


def suite_name(suite: str) -> str:
    """A suite's name in words: "translation_zero_shot" -> "zero-shot"."""
    return suite.removeprefix("translation_").replace("zero_shot", "zero-shot").replace("_", " ")


def signed(value: float, places: int) -> str:
    """A change with its sign, the minus a true one."""
    return f"{value:+.{places}f}".replace("-", "−")


@dataclass(frozen=True)
class Column:
    """One metric that every stage has."""

    group: str
    """What it is about: a suite in words, or "general"."""
    name: str
    unit: Unit
    value: Callable[[Evaluation], float | None]
    higher_is_better: bool = True
    optimised_by: tuple[str, ...] = ()
    suite: str = ""
    """The suite's name; empty for a mean over suites"""
    metric: str = ""

    def label(self, evaluations: Sequence[Evaluation]) -> str:
        """The name, with a dagger where a stage optimised this very metric."""
        optimised = {kind for evaluation in evaluations for kind in evaluation.shown.optimised}
        return f"{self.name} {OPTIMISED}" if optimised & set(self.optimised_by) else self.name

    def text(self, value: float | None) -> str:
        """The value as a table shows it."""
        if value is None:
            return "–"
        return f"{value:.2f}" if self.unit == "reward" else f"{self._shown(value):.1f}"

    def change(self, before: float | None, after: float | None) -> str:
        """The signed difference, in the table's unit; empty without a parent or a value."""
        if before is None or after is None:
            return ""
        if self.unit == "reward":
            return signed(after - before, 2)
        return signed(self._shown(after) - self._shown(before), 1)

    def verdict(self, before: float | None, after: float | None) -> Literal["better", "worse", "same"]:
        """Whether the metric improved, by more than what the table rounds away."""
        if before is None or after is None or self.change(before, after).strip("+−0.") == "":
            return "same"
        return "better" if (after > before) == self.higher_is_better else "worse"

    def _shown(self, value: float) -> float:
        return 100 * value if self.unit == "percent" else value


def _suite_column(result: SuiteResult, shown: MetricColumn) -> Column:
    def value(evaluation: Evaluation) -> float | None:
        found = evaluation.suite(result.name)
        return found.metrics.get(shown.metric) if found else None

    return Column(suite_name(result.name), shown.name, shown.unit, value, shown.higher_is_better, shown.optimised_by,
                  result.name, shown.metric)  # fmt: skip


CHRF_FAMILY = ("chrf", "chrf++", "gated_chrf")
"""Who is trained or chosen by one of them has optimised all"""


def optimising(metric: str) -> tuple[str, ...]:
    """What one trains on or chooses by when a corpus metric is no independent evidence any more."""
    return CHRF_FAMILY if metric in CHRF_FAMILY else (metric,)


def _measured_column(suite: str, shown: MetricValue, task: Task) -> Column:
    """Of a corpus metric that the suite asked for; its task knows who optimises it, where it has that metric too."""
    own = next((column.optimised_by for column in task.columns if column.metric == shown.name), ())

    def value(evaluation: Evaluation) -> float | None:
        found = evaluation.suite(suite)
        return next((m.value for m in found.measured if m.name == shown.name), None) if found else None

    return Column(suite_name(suite), shown.title or shown.name, shown.unit, value, shown.higher_is_better,
                  own or optimising(shown.name), suite, shown.name)  # fmt: skip


def _columns_of_suite(suite: str, evaluations: Sequence[Evaluation]) -> list[Column]:
    """Corpus metrics first, whose first one is the suite's headline; then those of its task that are not among them."""
    results = [found for evaluation in evaluations if (found := evaluation.suite(suite))]
    measured = {value.name: value for result in results for value in result.measured}
    task = find_task(results[0].task)
    columns = [_measured_column(suite, value, task) for value in measured.values()]
    return columns + [_suite_column(results[0], shown) for shown in task.columns if shown.metric not in measured]


def translates(suite: SuiteResult) -> bool:
    """Whether a suite measures translation, not general skill."""
    return find_task(suite.task).translates


def translation_score(evaluation: Evaluation) -> float | None:
    """Mean chrF over the translation suites."""
    return mean(s.metrics.get("chrf") for s in evaluation.suites if translates(s))


def general_score(evaluation: Evaluation) -> float | None:
    """Mean of the primary metrics of all suites but translation, as a fraction."""
    others = [suite for suite in evaluation.suites if not translates(suite)]
    return mean(suite.metrics.get(find_task(suite.task).primary.metric) for suite in others)


def all_suites(evaluations: Iterable[Evaluation]) -> list[SuiteResult]:
    """Every suite that any stage was evaluated on, translation first."""
    found: dict[str, SuiteResult] = {}
    for evaluation in evaluations:
        for suite in evaluation.suites:
            found.setdefault(suite.name, suite)
    return sorted(found.values(), key=lambda suite: not translates(suite))


def columns_of(evaluations: Sequence[Evaluation]) -> list[Column]:
    """The metrics that stand for a run: those of each suite's task, and the mean of general skill."""
    suites = all_suites(evaluations)
    columns = [column for suite in suites for column in _columns_of_suite(suite.name, evaluations)]
    if sum(not translates(suite) for suite in suites) > 1:
        kinds = {kind for suite in suites for kind in find_task(suite.task).primary.optimised_by}
        columns.append(Column("general", "mean", "percent", general_score, optimised_by=tuple(sorted(kinds))))
    return columns


@dataclass(frozen=True)
class Comparison:
    """A paired test of one measure on one suite."""

    suite: str
    measure: str
    test: PairedTest
    p: float = 1.0
    """Two-sided, corrected for the number of tests of this measure (Benjamini and Hochberg 1995)"""


ALPHA = 0.05


def is_significant(row: Comparison) -> bool:
    """Whether a change is beyond chance: two-sided, with so many tests."""
    return row.p < ALPHA


def corrected(rows: Sequence[Comparison]) -> list[Comparison]:
    """The rows with their p corrected within each measure: many suites are many chances for a low p."""
    found = list(rows)
    for measure in dict.fromkeys(row.measure for row in rows):
        places = [place for place, row in enumerate(rows) if row.measure == measure]
        adjusted = false_discovery_control([rows[place].test.p_two_sided for place in places])
        for place, p in zip(places, adjusted, strict=True):
            found[place] = replace(rows[place], p=float(p))
    return found


def p_text(p: float) -> str:
    """A p-value as tables show it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def rows_text(test: PairedTest) -> str:
    """How many rows a test compared, and of how many clusters they are where that is fewer."""
    return str(test.n) if test.clusters == test.n else f"{test.n} in {test.clusters}"


def _pairs(parent: Sequence[Outcome], child: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Outcomes of the same row, matched by id."""
    before = {outcome.id: outcome for outcome in parent}
    return [(before[outcome.id], outcome) for outcome in child if outcome.id in before]


def _compare(
    name: str, measure: str, value: Callable[[Outcome], float | None], pairs: list[tuple[Outcome, Outcome]]
) -> list[Comparison]:
    """A test over the pairs in which both values could be computed; none when there is no such pair."""
    values = [(value(first), value(second), second.cluster or second.id) for first, second in pairs]
    known = [(a, b, cluster) for a, b, cluster in values if a is not None and b is not None]
    if not known:
        return []
    before, after, clusters = zip(*known, strict=True)
    return [Comparison(name, measure, paired_bootstrap(before, after, clusters=clusters))]


def compare_outcomes(name: str, pairs: list[tuple[Outcome, Outcome]]) -> list[Comparison]:
    """Tests of sampled and greedy reward, and of corpus chrF for translation."""
    found = _compare(name, "reward, sampled", lambda outcome: outcome.sampled_reward, pairs)
    found += _compare(name, "reward, greedy", lambda outcome: outcome.reward, pairs)
    if pairs and find_task(pairs[0][0].task).translates:
        found += _compare(name, "adequacy", adequacy_of, pairs)
        before, after = [first.response for first, _ in pairs], [second.response for _, second in pairs]
        references = [outcome.reference for _, outcome in pairs]
        found.append(Comparison(name, "chrF", paired_bootstrap_chrf(before, after, references)))
    return found


def compare(parent: Evaluation, child: Evaluation) -> list[Comparison]:
    """Paired tests of `child` against `parent`, suite by suite; several translation suites also together."""
    suites = all_suites([child])
    found: list[Comparison] = []
    translation = [suite.name for suite in suites if translates(suite)]
    if len(translation) > 1:
        joined = [pair for name in translation for pair in _pairs(parent.outcomes_of(name), child.outcomes_of(name))]
        found += compare_outcomes("all translation", joined)
    for suite in suites:
        pairs = _pairs(parent.outcomes_of(suite.name), child.outcomes_of(suite.name))
        found += compare_outcomes(suite_name(suite.name), pairs)
    return corrected(found)
