"""What is wrong with a suite's content, found before anything is generated.

- References or sources that are in another language than the suite says, over the whole direction: single short texts
  are often misjudged, a file in the wrong column never is. More than half is refused, more than a tenth is told.
- Rows whose source or reference a training file holds, word for word in the house's one form of a text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.data.rows import Prompt
from dragoman.evaluation.suite_files.loading import LoadedSuite, SuiteFileError
from dragoman.files import FileError, read_lines
from dragoman.text.identification import is_on_target
from dragoman.text.normalisation import normalised

REFUSED_SHARE, TOLD_SHARE = 0.5, 0.1
LEAST_ROWS = 8
"""Fewer texts than that say nothing about their file"""
LEAST_LETTERS = 20
"""Of a text that is looked for in training files: `OK` occurs everywhere"""
_SIDES = ("messages", "source", "reference", "text", "target", "chosen", "response")


@dataclass(frozen=True)
class _Side:
    """The texts of one side of a direction."""

    what: str
    language: str
    other: str
    texts: tuple[tuple[str, str], ...]
    """Place and text"""


def content_warnings(suites: Sequence[LoadedSuite], training: Path | None = None) -> list[str]:
    """What a person should know, one sentence each; SuiteFileError where the suite cannot be meant."""
    found = [warning for loaded in suites for warning in _language_warnings(loaded)]
    return found + (overlap_warnings(suites, training) if training is not None else [])


def _language_warnings(loaded: LoadedSuite) -> Iterator[str]:
    for side in _sides([prompt for prompt in loaded.suite.prompts if prompt.pair is not None]):
        wrong = [
            (place, judged.detected)
            for place, text in side.texts
            if (judged := is_on_target(text, side.language, side.other)).on_target is False
        ]
        share = len(wrong) / len(side.texts)
        if len(side.texts) < LEAST_ROWS or share <= TOLD_SHARE:
            continue
        told = (
            f"suite {loaded.name}: {len(wrong)} of {len(side.texts)} {side.what}s are not in {side.language!r}, first "
            f"{wrong[0][0]} (looks like {wrong[0][1]!r})"
        )
        if share > REFUSED_SHARE:
            raise SuiteFileError(f"{told}; correct languages, or the order of the files or columns")
        yield told


def _sides(prompts: Sequence[Prompt]) -> Iterator[_Side]:
    pairs = [(place_of(prompt), prompt.pair) for prompt in prompts if prompt.pair is not None]
    for direction in dict.fromkeys(pair.direction for _, pair in pairs):
        own = [(place, pair) for place, pair in pairs if pair.direction == direction]
        source, target = direction
        yield _Side("source", source, target, tuple((place, pair.source) for place, pair in own))
        yield _Side("reference", target, source, tuple((place, pair.target) for place, pair in own))


def place_of(prompt: Prompt) -> str:
    """Where a row stands, as errors name it."""
    return str(prompt.columns.get("place") or prompt.id)


def overlap_warnings(suites: Sequence[LoadedSuite], training: Path) -> list[str]:
    """Rows that a training file holds as well; SuiteFileError when the folder has no files of JSON lines."""
    files = [p for p in sorted(training.rglob("*.jsonl")) if p.parent.name not in ("eval", "development")]
    if not files:
        raise SuiteFileError(f"--training {training} holds no *.jsonl files; give the data folder of a run")
    wanted = {form: (suite, prompt) for suite in suites for prompt in suite.suite.prompts for form in _forms(prompt)}
    met: dict[str, dict[str, str]] = {suite.name: {} for suite in suites}
    for file in files:
        try:
            for number, row in read_lines(file):
                for form in _row_forms(row):
                    if form in wanted:
                        suite, prompt = wanted[form]
                        met[suite.name].setdefault(prompt.id, f"{place_of(prompt)} stands in {file.name}:{number}")
        except FileError as error:
            raise SuiteFileError(f"--training: {error}") from None
    return [
        f"suite {suite.name}: {len(met[suite.name])} of {len(suite.suite.prompts)} rows were trained on, first "
        f"{next(iter(met[suite.name].values()))}"
        for suite in suites
        if met[suite.name]
    ]


def _forms(prompt: Prompt) -> list[str]:
    texts = [prompt.pair.source, prompt.pair.target] if prompt.pair else [prompt.question]
    return [form for text in texts if (form := _form(text))]


def _row_forms(row: Mapping[str, Any]) -> Iterator[str]:
    for name in _SIDES:
        value = row.get(name)
        if isinstance(value, str):
            texts = [value, *value.split("\n")]
        elif isinstance(value, list):
            texts = [str(turn.get("content", "")) for turn in value if isinstance(turn, Mapping)]
        else:
            continue
        yield from (form for text in texts if (form := _form(text)))


def _form(text: str) -> str:
    """The text for comparing; empty where it is too short to tell."""
    plain = " ".join(normalised(text).casefold().split())
    return plain if sum(map(str.isalpha, plain)) >= LEAST_LETTERS else ""
