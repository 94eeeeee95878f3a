"""Suites of held-out prompts, one JSON-lines file each.

A row is `{"id", "task", "messages", "rewards", "reference", "heldout", ...}`; translation rows also name
`source_language`, `target_language` and `source`. The file's name is the suite's name. Whatever is missing
or malformed is an error that names the file and the line, before anything is generated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
REQUIRED = ("id", "task", "messages", "rewards", "reference")
REQUIRED_FOR_TRANSLATION = ("source_language", "target_language", "source")


class SuiteError(ValueError):
    """A suite that cannot be evaluated: which file, why, and what to do."""


@dataclass(frozen=True)
class Suite:
    """A named set of evaluation rows of one task."""

    name: str
    rows: tuple[Row, ...]

    @property
    def task(self) -> str:
        """translation, math, code, constraints, or a task of the user's own."""
        return str(self.rows[0]["task"])


def _parse_line(line: str, where: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise SuiteError(f"{where}: not JSON ({error.msg}); write one JSON object a line") from error
    if not isinstance(row, dict):
        raise SuiteError(f"{where}: a {type(row).__name__} where a JSON object is needed")
    required = REQUIRED + (REQUIRED_FOR_TRANSLATION if row.get("task") == "translation" else ())
    missing = [name for name in required if name not in row]
    if missing:
        raise SuiteError(f"{where}: column {missing[0]!r} is missing; a {row.get('task', '')} row needs it")
    return row


def load_suite(path: Path) -> Suite:
    """The suite in a file; SuiteError when it is missing, empty, malformed, or mixes tasks."""
    if not path.is_file():
        raise SuiteError(f"evaluation suite {path} is missing: build the data again, or name another folder")
    lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: U+2028 may stand inside a text
    rows = tuple(_parse_line(line, f"{path}:{n}") for n, line in enumerate(lines, 1) if line.strip())
    if not rows:
        raise SuiteError(f"evaluation suite {path} is empty: build the data again, or remove the file")
    if len({row["id"] for row in rows}) < len(rows):
        raise SuiteError(f"evaluation suite {path} repeats an id: give every row an id of its own")
    if len({row["task"] for row in rows}) > 1:
        raise SuiteError(f"evaluation suite {path} mixes tasks: write one file for each task")
    return Suite(path.stem, rows)


def load_suites(folder: Path) -> list[Suite]:
    """Every `*.jsonl` of a folder as a suite, translation first; SuiteError when there is none."""
    paths = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if not paths:
        raise SuiteError(f"no evaluation suite (*.jsonl) in {folder}: build the data, or name another folder")
    return sorted((load_suite(path) for path in paths), key=lambda suite: suite.task != "translation")
