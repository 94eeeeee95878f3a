"""The figures of a report as CSV files in `report-csv/`, one table a file, values unrounded.

| file | a row is |
|---|---|
| `metrics.csv` | a metric of a stage on a suite or a direction of it; `optimised`: whether a stage trained on it |
| `tests.csv` | a paired test of a stage against the one before |
| `curves.csv` | a metric of a training step |
| `observatory.csv` | a series of the observatory at a step |
| `alarms.csv` | an alarm |
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from dragoman.evaluation.comparison import compare
from dragoman.evaluation.observatory.watch import Observation
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.report.run_record import RunRecord
from dragoman.evaluation.tasks import find_task
from dragoman.files import write_text

FOLDER = "report-csv"
Cells = Sequence[str | float | None]


def write_csv(folder: Path, record: RunRecord, observed: Observation) -> Path:
    """Write all tables into a run's folder; returns theirs."""
    tables = {
        "metrics": (("stage", "suite", "direction", "metric", "value", "optimised"), metric_lines(record.evaluations)),
        "tests": (("stage", "parent", "suite", "measure", "before", "after", "difference", "low", "high", "p", "rows",
                   "clusters"), test_lines(record.evaluations)),
        "curves": (("stage", "step", "metric", "value"), curve_lines(record)),
        "observatory": (("series", "title", "role", "step", "value"), series_lines(observed)),
        "alarms": (("step", "since", "series", "sentence"), alarm_lines(observed)),
    }  # fmt: skip
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    for name, (head, rows) in tables.items():
        write_text(target / f"{name}.csv", csv_text(head, rows))
    return target


def csv_text(head: Cells, rows: Iterable[Cells]) -> str:
    """RFC 4180 with a line feed; what is not known is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return stream.getvalue()


def metric_lines(evaluations: Sequence[Evaluation]) -> Iterator[Cells]:
    """Every metric of every stage, directions after their suite."""
    for evaluation in evaluations:
        for suite in evaluation.suites:
            by = {column.metric: set(column.optimised_by) for column in find_task(suite.task).columns}
            for direction, metrics in (("", suite.metrics), *suite.by_direction.items()):
                for name, value in metrics.items():
                    trained = bool(by.get(name, set()) & set(evaluation.shown.optimised))
                    yield evaluation.stage, suite.name, direction, name, value, str(trained).lower()


def test_lines(evaluations: Sequence[Evaluation]) -> Iterator[Cells]:
    """Each stage against the one before, p corrected within each measure."""
    for parent, child in pairwise(evaluations):
        for row in compare(parent, child):
            t = row.test
            figures = (t.before, t.after, t.difference, t.low, t.high, row.p, t.n, t.clusters)
            yield child.stage, parent.stage, row.suite, row.measure, *figures


def curve_lines(record: RunRecord) -> Iterator[Cells]:
    """As metrics.jsonl has them."""
    for stage, lines in record.metrics.items():
        for line in lines:
            for name, value in line.values.items():
                yield stage, line.step, name, value


def series_lines(observed: Observation) -> Iterator[Cells]:
    """Points of the observatory's series."""
    for one in observed.series:
        for step, value in zip(one.steps, one.values, strict=True):
            yield one.name, one.title, one.role, step, value


def alarm_lines(observed: Observation) -> Iterator[Cells]:
    """In the order of their steps."""
    for alarm, sentence in zip(observed.alarms, observed.sentences, strict=True):
        yield alarm.step, alarm.worse.since, alarm.worse.series.name, sentence
