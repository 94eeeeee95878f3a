"""JSON-lines files of rows: reading with errors that name file and line, and nothing half-read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class DataError(ValueError):
    """A data file that cannot be used; the text names the file, the line and the mend."""


def read_rows(path: Path, *, needs: Sequence[str] = ()) -> list[Row]:
    """All rows of a JSONL file; each must be an object with the keys `needs`."""
    if not path.is_file():
        raise DataError(f"missing data file {path}; docs/data.md says which files a stage reads")
    rows = []
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            if line.strip():
                rows.append(_parse(path, number, line, needs))
    if not rows:
        raise DataError(f"{path} holds no rows; a stage cannot train on an empty data set")
    return rows


def _parse(path: Path, number: int, line: str, needs: Sequence[str]) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{number} is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number} holds {type(row).__name__}, expected an object")
    missing = [key for key in needs if key not in row]
    if missing:
        raise DataError(f"{path}:{number} (id {row.get('id', '?')}) lacks {', '.join(missing)}")
    return row
