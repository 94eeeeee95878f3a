"""Suites of held-out prompts, one JSON-lines file each; the file's name is the suite's name.

A row is a prompt row with a `reference`, and with what its task needs (`evaluation.tasks`). Whatever is missing or
malformed is an error that names the file and the line, before anything is generated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.data.rows import DataError, Prompt, prompt_of
from dragoman.errors import DragomanError
from dragoman.evaluation.tasks import Task, find_task
from dragoman.files import FileError, read_lines
from rewards.errors import RowError

REQUIRED = ("id", "task", "messages", "rewards", "reference")


class SuiteError(DragomanError):
    """A suite that cannot be evaluated: which file, why, and what to do."""


@dataclass(frozen=True)
class Suite:
    """A named set of prompts of one task."""

    name: str
    prompts: tuple[Prompt, ...]

    @property
    def task_name(self) -> str:
        """translation, math, code, constraints, or a task of the user's own."""
        return self.prompts[0].task

    @property
    def task(self) -> Task:
        """What knows how to judge its answers."""
        return find_task(self.task_name)


def load_suite(path: Path) -> Suite:
    """The suite in a file; SuiteError when it is missing, empty, malformed, or mixes tasks."""
    if not path.is_file():
        raise SuiteError(f"evaluation suite {path} is missing: build the data again, or name another folder")
    try:
        prompts = tuple(_prompt(row, f"{path}:{number}") for number, row in read_lines(path))
    except (FileError, DataError, RowError) as error:
        raise SuiteError(str(error)) from error
    if not prompts:
        raise SuiteError(f"evaluation suite {path} is empty: build the data again, or remove the file")
    if len({prompt.id for prompt in prompts}) < len(prompts):
        raise SuiteError(f"evaluation suite {path} repeats an id: give every row an id of its own")
    if len({prompt.task for prompt in prompts}) > 1:
        raise SuiteError(f"evaluation suite {path} mixes tasks: write one file for each task")
    return Suite(path.stem, prompts)


def load_suites(folder: Path) -> list[Suite]:
    """Every `*.jsonl` of a folder as a suite, translation first; SuiteError when there is none."""
    paths = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if not paths:
        raise SuiteError(f"no evaluation suite (*.jsonl) in {folder}: build the data, or name another folder")
    return sorted((load_suite(path) for path in paths), key=lambda suite: not suite.task.translates)


def _prompt(row: Mapping[str, Any], where: str) -> Prompt:
    required = REQUIRED + find_task(str(row.get("task", ""))).required
    missing = [name for name in required if name not in row]
    if missing:
        raise SuiteError(f"{where}: column {missing[0]!r} is missing; a {row.get('task', '')} row needs it")
    return prompt_of(row, where)
