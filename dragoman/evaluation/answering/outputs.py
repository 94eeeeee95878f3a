"""A file of outputs as an answerer: JSON lines with `id` and `response`, or a plain text with a line for each row.

In JSON lines an `id` may come several times: the first is the answer, the others are samples. A plain text has no ids,
so it fits exactly one suite, line by line.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from dragoman.data.readers.texts import lines_of
from dragoman.evaluation.answering.records import Answer, AnsweringError, Question
from dragoman.files import FileError, read_lines


class OutputsAnswerer:
    """Answers that were made elsewhere."""

    remembers = False
    concurrency = 64

    def __init__(self, path: Path, ids: Sequence[str]) -> None:
        """`ids` are those of all rows, in order. AnsweringError where the file does not fit them."""
        self.name = path.stem
        self.fingerprint = f"outputs-{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}"
        self.path = path
        self._answers = _from_lines(path) if path.suffix in (".jsonl", ".ndjson") else _from_text(path, ids)
        missing = [name for name in ids if name not in self._answers]
        if missing:
            raise AnsweringError(
                f"{path} has no response for {len(missing)} of {len(ids)} rows, first {missing[0]!r}; every row of the "
                "suites needs one"
            )

    @property
    def samples(self) -> int:
        """How many samples every row has beside its answer."""
        return min(map(len, self._answers.values())) - 1

    async def open(self) -> None:
        """Everything is there."""

    async def answer(self, question: Question) -> Answer:
        given = self._answers[question.id]
        if question.sample >= len(given):
            raise AnsweringError(
                f"{self.path} has {len(given)} responses for {question.id!r}, {question.sample + 1} are asked for; "
                "lower --samples"
            )
        return given[question.sample]

    def fits(self, text: str, room: int) -> bool:
        return True

    def close(self) -> None:
        """Nothing was started."""


def _from_lines(path: Path) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    try:
        for number, line in read_lines(path):
            text = line.get("response")
            if not isinstance(line.get("id"), str) or not isinstance(text, str):
                raise AnsweringError(f"{path}:{number} needs the texts `id` and `response`")
            found.setdefault(line["id"], []).append(Answer(text, str(line.get("finish_reason", ""))))
    except FileError as error:
        raise AnsweringError(str(error)) from None
    return found


def _from_text(path: Path, ids: Sequence[str]) -> dict[str, list[Answer]]:
    lines = lines_of(path)
    if len(lines) != len(ids):
        raise AnsweringError(
            f"{path} has {len(lines)} lines and the suites {len(ids)} rows; a plain text needs a line for each row of "
            "one suite, JSON lines name their rows by id"
        )
    return {name: [Answer(line, "")] for name, line in zip(ids, lines, strict=True)}
