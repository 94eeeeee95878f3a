"""Every case of real use earns what its row says: right answers, near misses, and the report of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dragoman.files import read_lines
from rewards.calling import call
from rewards.doors.check import check_rows
from rewards.doors.score import read_rows
from rewards.mixing import mix, part_of
from rewards.records import Row, Score, specs_of
from rewards.registry import find_kind

FILES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))


class InProcess:
    """Scores rows where it is called: no pools, no deadlines; `code` starts its sandbox by itself."""

    def score_rows(self, rows: Sequence[Row]) -> list[Score]:
        return [self._score(row) for row in rows]

    def _score(self, row: Row) -> Score:
        specs = specs_of(row)
        results = [call(find_kind(spec.kind), spec, row) for spec in specs]
        reward = mix([part_of(spec, result) for spec, result in zip(specs, results, strict=True)])
        return Score(str(row["id"]), reward, tuple(results))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case_earns_what_it_should(file: Path) -> None:
    rows = list(read_rows(file))
    report = check_rows(InProcess(), rows)
    assert report.rows == report.probes == len(rows) > 0
    listed = "\n".join(
        f"{m.id}: {m.reward}, wanted {m.wanted} ({rows[m.number - 1].get('why', '')}): {m.detail}"
        for m in report.misbehaviours
    )
    assert report.passed, f"{len(report.misbehaviours)} of {report.rows} cases\n{listed}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case_names_where_it_comes_from(file: Path) -> None:
    rows = [row for _, row in read_lines(file)]
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["thread"].strip() and row["why"].strip() for row in rows)
