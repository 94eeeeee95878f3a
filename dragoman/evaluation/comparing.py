"""Several systems on the same suites: paired tests of each pair, and ranks that say no more than the tests do.

Systems stand in the order of the suite's headline. A line is drawn between two neighbours only where every system above
it is better, beyond chance, than every one below (as WMT draws its clusters); systems between two lines cannot be told
apart. All pairs of a suite are corrected together by Holm; Benjamini-Hochberg's stands beside it. A system may be
several trainings that differ in their seed; then the tests count seeds, too (`seeded`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import fmean, stdev

from dragoman.errors import DragomanError
from dragoman.evaluation.corpus_metrics import find_metric
from dragoman.evaluation.outcomes import Evaluation, Outcome
from dragoman.evaluation.seeded import seeded_difference
from dragoman.evaluation.significance import TRIALS, benjamini_hochberg, holm, paired_difference
from dragoman.evaluation.standalone import headline
from dragoman.files import write_json, write_text

ALPHA = 0.05


class CompareError(DragomanError):
    """Systems that cannot be compared: which, why, and what to do."""


@dataclass(frozen=True)
class Pair:
    """System b against system a by one metric of one suite."""

    suite: str
    metric: str
    a: str
    b: str
    value_a: float
    value_b: float
    difference: float
    low: float
    high: float
    p_bootstrap: float | None
    p_randomised: float | None
    """Of one training each; None where a system has several"""
    rows: int
    clusters: int
    p_holm: float = 1.0
    """Of `p`, over all pairs of this suite and metric"""
    p_benjamini_hochberg: float = 1.0
    p_seeds: float | None = None
    """Where a system has several trainings: of rows and seeds together"""
    seeds_a: int = 1
    seeds_b: int = 1

    @property
    def p(self) -> float:
        """What ranks and verdicts go by."""
        found = self.p_randomised if self.p_seeds is None else self.p_seeds
        assert found is not None, "a pair has one of the two"
        return found


@dataclass(frozen=True)
class Place:
    """A system's place on a suite."""

    suite: str
    metric: str
    system: str
    value: float
    rank: int
    """1 for the first cluster; systems of one rank cannot be told apart"""
    rows: int
    seeds: int = 1
    spread: float | None = None
    """Standard deviation of the value between trainings; None of one"""


@dataclass(frozen=True)
class Standing:
    """Everything that was compared."""

    places: tuple[Place, ...]
    pairs: tuple[Pair, ...]


Trainings = Sequence[Evaluation]
"""Of one system: models that differ in their training seed; usually one"""


def compare_systems(systems: Mapping[str, Trainings], *, resamples: int = TRIALS, seed: int = 0) -> Standing:
    """Ranks and tests on every suite that all systems have; CompareError where they share no rows."""
    every = [evaluation for trainings in systems.values() for evaluation in trainings]
    shared = [result for result in every[0].suites if all(evaluation.suite(result.name) for evaluation in every)]
    places: list[Place] = []
    pairs: list[Pair] = []
    for result in shared:
        rows = _shared_rows(result.name, systems)
        metric = headline(result.task)
        if not rows or any(find_metric(metric).fault(one) for trainings in rows.values() for one in trainings):
            continue
        tested = _tested(result.name, metric, rows, resamples, seed)
        pairs += tested
        places += _ranked(result.name, metric, rows, tested)
    if not places:
        raise CompareError(f"{', '.join(systems)} share no suite with the same rows; evaluate them on one")
    return Standing(tuple(places), tuple(pairs))


Rows = Mapping[str, Sequence[Sequence[Outcome]]]
"""By system and training, the outcomes of the rows that all have, in one order"""


def _shared_rows(suite: str, systems: Mapping[str, Trainings]) -> Rows:
    """CompareError where a row has another reference for one of them."""
    by_id = {
        name: [{o.id: o for o in evaluation.outcomes_of(suite)} for evaluation in trainings]
        for name, trainings in systems.items()
    }
    every = [(name, found) for name, trainings in by_id.items() for found in trainings]
    first = every[0][1]
    ids = [row for row in first if all(row in found for _, found in every)]
    for name, found in every:
        other = next((row for row in ids if found[row].references != first[row].references), None)
        if other is not None:
            raise CompareError(
                f"suite {suite}: row {other} has another reference for {name}; evaluate all systems on the same file"
            )
    if not ids:
        return {}
    return {name: [[found[row] for row in ids] for found in trainings] for name, trainings in by_id.items()}


def _tested(suite: str, metric: str, rows: Rows, resamples: int, seed: int) -> list[Pair]:
    found = find_metric(metric)
    counts = {name: [found.counts(outcomes) for outcomes in trainings] for name, trainings in rows.items()}
    clusters = [outcome.cluster or outcome.id for outcome in next(iter(rows.values()))[0]]
    tested = []
    for a, b in combinations(rows, 2):
        if len(counts[a]) == len(counts[b]) == 1:
            one = paired_difference(
                counts[a][0], counts[b][0], found.score, clusters=clusters, trials=resamples, seed=seed
            )
            pair = Pair(suite, metric, a, b, one.a, one.b, one.difference, one.low, one.high, one.p_bootstrap,
                        one.p_randomised, one.rows, one.clusters)  # fmt: skip
        else:
            more = seeded_difference(counts[a], counts[b], found.score, clusters=clusters, trials=resamples, seed=seed)
            pair = Pair(suite, metric, a, b, more.a, more.b, more.difference, more.low, more.high, None, None,
                        more.rows, more.clusters, p_seeds=more.p, seeds_a=len(counts[a]),
                        seeds_b=len(counts[b]))  # fmt: skip
        tested.append(pair)
    ps = [pair.p for pair in tested]
    corrected = zip(tested, holm(ps), benjamini_hochberg(ps), strict=True)
    return [replace(pair, p_holm=h, p_benjamini_hochberg=bh) for pair, h, bh in corrected]


def _ranked(suite: str, metric: str, rows: Rows, tested: Sequence[Pair]) -> Iterator[Place]:
    found = find_metric(metric)
    figures = {
        name: [found.measure(outcomes).value or 0.0 for outcomes in trainings] for name, trainings in rows.items()
    }
    values = {name: fmean(own) for name, own in figures.items()}
    order = sorted(values, key=lambda name: values[name], reverse=found.higher_is_better)
    apart = {frozenset((pair.a, pair.b)) for pair in tested if pair.p_holm < ALPHA}
    rank, count = 1, len(next(iter(rows.values()))[0])
    for place, name in enumerate(order):
        above, below = order[:place], order[place:]
        if above and all(frozenset((one, other)) in apart for one in above for other in below):
            rank = place + 1
        own = figures[name]
        yield Place(suite, metric, name, values[name], rank, count, len(own), stdev(own) if len(own) > 1 else None)


def write_comparison(found: Standing, folder: Path) -> None:
    """`comparison.json`, and `comparison.csv` with a line for each pair."""
    write_json(folder / "comparison.json", asdict(found))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Pair.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(pair) for pair in found.pairs)
    write_text(folder / "comparison.csv", text.getvalue())
