"""A user's folder with the rows that can be read; the others are named, each with its reason.

my_rows/*.jsonl, my_rows/{eval,development}/*.jsonl  ->  the same files without bad rows, and rejected.jsonl
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dragoman.data.rows import DataError, conversation_of, document_of, prompt_of
from dragoman.files import read_lines, write_lines
from rewards.errors import RewardError

SAMPLED = ("preference", "rl")
REJECTED = "rejected.jsonl"


def take_in(source: Path, target: Path) -> int:
    """Write every file of `source` below `target` without the rows that cannot be used; returns how many those are.

    Raises `DataError` when the folder holds no rows, or a file none that can be used.
    """
    files = sorted(path for path in source.rglob("*.jsonl") if path.name != REJECTED)
    if not files:
        raise DataError(f"{source} holds no *.jsonl files; docs/data.md says which files a stage reads")
    rejected = []
    for path in files:
        kept, bad = _sorted_out(path, str(path.relative_to(source)))
        if not kept:
            raise DataError(f"no row of {path} can be used, the first because: {bad[0]['reason']}" if bad else
                            f"{path} holds no rows; remove it or write some")  # fmt: skip
        write_lines(target / path.relative_to(source), kept)
        rejected += bad
    write_lines(target / REJECTED, rejected)
    return len(rejected)


def _sorted_out(path: Path, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    kept, bad = [], []
    for number, row in read_lines(path):
        try:
            _check(path, row, f"{name}:{number}")
            kept.append(row)
        except (DataError, RewardError) as error:
            bad.append({"file": name, "line": number, "reason": str(error)})
    return kept, bad


def _check(path: Path, row: Mapping[str, Any], where: str) -> None:
    if path.stem == "pairs":
        return  # preference optimisation reads them by itself, in more layouts
    if path.stem in SAMPLED or path.parent.name in ("eval", "development"):
        prompt_of(row, where)
    elif "text" in row:
        document_of(row, where)
    else:
        conversation_of(row, where)
