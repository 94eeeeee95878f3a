"""Files of rows in, files of scores out: for people who want only the verifiers.

rows.jsonl -> read_rows -> validate_rows -> RewardPools -> scores.jsonl, whole or not at all
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.files import FileError, read_lines, write_lines
from rewards.code.formats import row_of
from rewards.errors import RowError
from rewards.records import Row, Score
from rewards.validation import sort_out, validate_rows

if TYPE_CHECKING:
    from rewards.execution.pools import RewardPools


def read_rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON-lines file; RowError names the file and the line that is no JSON object.

    HumanEval, MBPP and inputs/outputs records are read as rows with a `code` reward (rewards/code/formats.py).
    """
    try:
        for number, record in read_lines(Path(path)):
            yield row_of(record, number)
    except FileError as error:
        raise RowError(str(error)) from None
    except RowError as error:
        raise RowError(f"{path}, {error}") from error


def score_file(
    pools: RewardPools,
    source: str | Path,
    target: str | Path,
    progress: Callable[[int, int], None] | None = None,
    chunk: int = 256,
    dropped: list[str] | None = None,
) -> list[Score]:
    """Score a file of rows with responses into one of scores; `progress(done, total)` after each chunk.

    RowError for a row that cannot be used; where a list `dropped` is given, such rows are left out and the reasons put
    there. The target appears only when all is done.
    """
    rows: list[Row] = list(read_rows(source))
    if dropped is None:
        validate_rows(rows)
    else:
        rows, refusals = sort_out(rows)
        dropped += refusals
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("response"), str):
            raise RowError(f"row {number} (id {row['id']!r}): column 'response' is missing; it is what gets scored")
    scores: list[Score] = []
    for start in range(0, len(rows), chunk):
        scores += pools.score_rows(rows[start : start + chunk])
        if progress is not None:
            progress(len(scores), len(rows))
    write_lines(Path(target), (score.to_dict() for score in scores))
    return scores
