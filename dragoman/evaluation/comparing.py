"""Several systems on the same suites: paired tests of each pair, and ranks that say no more than the tests do.

Systems stand in the order of the suite's headline. A line is drawn between two neighbours only where every system above
it is better, beyond chance, than every one below (as WMT draws its clusters); systems between two lines cannot be told
apart. All pairs of a suite are corrected together by Holm; Benjamini-Hochberg's stands beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

from dragoman.errors import DragomanError
from dragoman.evaluation.corpus_metrics import find_metric
from dragoman.evaluation.outcomes import Evaluation, Outcome
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
    p_bootstrap: float
    p_randomised: float
    rows: int
    clusters: int
    p_holm: float = 1.0
    """Of `p_randomised`, over all pairs of this suite and metric"""
    p_benjamini_hochberg: float = 1.0


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


@dataclass(frozen=True)
class Standing:
    """Everything that was compared."""

    places: tuple[Place, ...]
    pairs: tuple[Pair, ...]


def compare_systems(systems: Mapping[str, Evaluation], *, resamples: int = TRIALS, seed: int = 0) -> Standing:
    """Ranks and tests on every suite that all systems have; CompareError where they share no rows."""
    shared = [
        result
        for result in next(iter(systems.values())).suites
        if all(evaluation.suite(result.name) for evaluation in systems.values())
    ]
    places: list[Place] = []
    pairs: list[Pair] = []
    for result in shared:
        rows = _shared_rows(result.name, systems)
        metric = headline(result.task)
        if not rows or any(find_metric(metric).fault(outcomes) for outcomes in rows.values()):
            continue
        tested = _tested(result.name, metric, rows, resamples, seed)
        pairs += tested
        places += _ranked(result.name, metric, rows, tested)
    if not places:
        raise CompareError(f"{', '.join(systems)} share no suite with the same rows; evaluate them on one")
    return Standing(tuple(places), tuple(pairs))


def _shared_rows(suite: str, systems: Mapping[str, Evaluation]) -> dict[str, list[Outcome]]:
    """Each system's outcomes of the rows that all have, in one order; CompareError for other references."""
    by_id = {name: {o.id: o for o in evaluation.outcomes_of(suite)} for name, evaluation in systems.items()}
    first = next(iter(by_id.values()))
    ids = [row for row in first if all(row in found for found in by_id.values())]
    for name, found in by_id.items():
        other = next((row for row in ids if found[row].references != first[row].references), None)
        if other is not None:
            raise CompareError(
                f"suite {suite}: row {other} has another reference for {name}; evaluate all systems on the same file"
            )
    return {name: [found[row] for row in ids] for name, found in by_id.items()} if ids else {}


def _tested(suite: str, metric: str, rows: Mapping[str, Sequence[Outcome]], resamples: int, seed: int) -> list[Pair]:
    found = find_metric(metric)
    counts = {name: found.counts(outcomes) for name, outcomes in rows.items()}
    clusters = [outcome.cluster or outcome.id for outcome in next(iter(rows.values()))]
    tested = []
    for a, b in combinations(rows, 2):
        test = paired_difference(counts[a], counts[b], found.score, clusters=clusters, trials=resamples, seed=seed)
        tested.append(
            Pair(suite, metric, a, b, test.a, test.b, test.difference, test.low, test.high, test.p_bootstrap,
                 test.p_randomised, test.rows, test.clusters)
        )  # fmt: skip
    ps = [pair.p_randomised for pair in tested]
    corrected = zip(tested, holm(ps), benjamini_hochberg(ps), strict=True)
    return [replace(pair, p_holm=h, p_benjamini_hochberg=bh) for pair, h, bh in corrected]


def _ranked(suite: str, metric: str, rows: Mapping[str, Sequence[Outcome]], tested: Sequence[Pair]) -> Iterator[Place]:
    found = find_metric(metric)
    values = {name: found.measure(outcomes).value or 0.0 for name, outcomes in rows.items()}
    order = sorted(values, key=lambda name: values[name], reverse=found.higher_is_better)
    apart = {frozenset((pair.a, pair.b)) for pair in tested if pair.p_holm < ALPHA}
    rank = 1
    for place, name in enumerate(order):
        above, below = order[:place], order[place:]
        if above and all(frozenset((one, other)) in apart for one in above for other in below):
            rank = place + 1
        yield Place(suite, metric, name, values[name], rank, len(next(iter(rows.values()))))


def write_comparison(found: Standing, folder: Path) -> None:
    """`comparison.json`, and `comparison.csv` with a line for each pair."""
    write_json(folder / "comparison.json", asdict(found))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Pair.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(pair) for pair in found.pairs)
    write_text(folder / "comparison.csv", text.getvalue())
