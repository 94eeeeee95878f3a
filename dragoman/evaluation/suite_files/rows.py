"""The rows of a suite: segments of files, columns, or packages, each as a prompt with its rewards and its place.

Every row carries a column `place` (`file:line`), by which checks and errors name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.formats.base import value_at
from dragoman.data.corpora.segments import InputError, Segment
from dragoman.data.readers.texts import lines_of
from dragoman.data.rows import Conversation, ParallelPair, Prompt, prompt_of
from dragoman.evaluation.suite_files.annotated import annotated_prompts
from dragoman.evaluation.suite_files.forms import Form, asked, filled
from dragoman.evaluation.suite_files.instructed import instructed_rows
from dragoman.evaluation.suite_files.packaged import packaged_rows
from dragoman.evaluation.suite_files.plain_texts import plain_texts
from dragoman.evaluation.suite_files.settings import (
    ANNOTATED,
    ChoiceColumns,
    PromptSettings,
    SourceSettings,
    SuiteSettings,
)
from dragoman.evaluation.suites import load_suite
from dragoman.text.languages import LanguageError, language_name

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DEFAULT_CHOICE = Form("Question: {question}\nAnswer:", raw=True)
"""As lm-evaluation-harness asks: a choice is what goes on with it"""


def prompts_of(suite: SuiteSettings, folder: Path) -> list[Prompt]:
    """All prompts of the suite."""
    if suite.task == "instructed":
        prompts = list(_instructed(suite, folder))
    elif suite.package:
        rows = enumerate(packaged_rows(suite), start=1)
        prompts = [reasked(prompt_of(row, f"{suite.package} row {n}"), suite.prompt) for n, row in rows]
    elif suite.task == "rows":
        prompts = [p for source in suite.sources for p in load_suite(source.below(folder).file).prompts]
    elif suite.task in ANNOTATED:
        prompts = list(annotated_prompts(suite, folder))
    elif suite.task == "perplexity":
        prompts = list(plain_texts(suite, folder))
    elif suite.task == "choice":
        prompts = list(_choices(suite, folder))
    else:
        prompts = list(_translations(suite, folder))
    return prompts


def examples_of(suite: SuiteSettings, folder: Path) -> list[Conversation]:
    """Rows that few-shot prompts may show."""
    return [
        Conversation(
            f"{suite.name}-example-{number}",
            ({"role": "user", "content": found.source}, {"role": "assistant", "content": found.target}),
            "translation",
            ParallelPair(*found.direction, found.source, found.target),
        )
        for number, (found, _) in enumerate(_segments(suite.examples, folder))
    ]


def _translations(suite: SuiteSettings, folder: Path) -> Iterator[Prompt]:
    form = suite.prompt.resolved
    for number, (found, more) in enumerate(_segments(suite.sources, folder)):
        pair = _pair(found)
        row = {
            "id": f"{suite.name}-{number:06}",
            "task": "translation",
            "messages": _chat(suite.prompt, asked(form, pair)),
            "rewards": _rewards(suite, found),
            "source_language": found.source_language,
            "target_language": found.target_language,
            "source": found.source,
            "reference": found.target,
            "more_references": list(more),
            "place": found.place,
        }
        yield prompt_of(row, found.place)


def _instructed(suite: SuiteSettings, folder: Path) -> Iterator[Prompt]:
    if suite.package:
        rows = (prompt_of(row, f"{suite.package} row {n}") for n, row in enumerate(packaged_rows(suite), start=1))
        found = [(row.pair, f"{suite.package}#{row.id}") for row in rows if row.pair is not None]
    else:
        found = [(_pair(segment), segment.place) for segment, _ in _segments(suite.sources, folder)]
    glossary = [_pair(segment) for segment, _ in _segments(suite.glossary, folder)]
    for row in instructed_rows(suite.name, found, glossary, suite.seed):
        yield prompt_of(row, row["place"])


def _pair(found: Segment) -> ParallelPair:
    _check_segment(found)
    return ParallelPair(*found.direction, found.source, found.target)


def reasked(prompt: Prompt, chosen: PromptSettings) -> Prompt:
    """A plain translation in a prompt form; other rows stay as they are."""
    if prompt.pair is None or prompt.task != "translation":
        return prompt
    messages = tuple(_chat(chosen, asked(chosen.resolved, prompt.pair)))
    return replace(prompt, messages=messages, columns={**prompt.columns, "messages": list(messages)})


def _check_segment(found: Segment) -> None:
    """InputError for an empty side or a language that is none."""
    for side, text in (("source", found.source), ("reference", found.target)):
        if not text.strip():
            raise InputError(f"{found.place}: the {side} is empty; fill or remove the row")
    for code in found.direction:
        try:
            language_name(code)
        except LanguageError as error:
            raise InputError(f"{found.place}: {error}") from None


def _segments(sources: Sequence[SourceSettings], folder: Path) -> Iterator[tuple[Segment, tuple[str, ...]]]:
    """Segments with their further references."""
    for given in sources:
        for source in given.below(folder).spread() if not given.directions else _spread(given, folder):
            found = list(islice(find_format(source).read(source), source.limit))
            more = [_aligned(path, source, len(found)) for path in source.references[1:]]
            rows = list(zip(found, zip(*more, strict=True) if more else [()] * len(found), strict=True))
            yield from _joined(rows, source) if source.documents else rows


def _spread(given: SourceSettings, folder: Path) -> list[SourceSettings]:
    return [one.below(folder) for one in given.spread()]


def _aligned(path: str, source: SourceSettings, count: int) -> list[str]:
    lines = lines_of(Path(path))
    if len(lines) < count or (source.limit is None and len(lines) != count):
        raise InputError(f"{path} has {len(lines)} lines and {source.path} {count}; they must go line by line")
    return lines[:count]


def _joined(
    rows: Sequence[tuple[Segment, tuple[str, ...]]], source: SourceSettings
) -> Iterator[tuple[Segment, tuple[str, ...]]]:
    """Lines of one document as one text, a line each."""
    assert source.documents is not None
    names = _aligned(source.documents, source, len(rows))
    for _, group in groupby(zip(names, rows, strict=True), key=lambda pair: pair[0]):
        parts = [row for _, row in group]
        first = parts[0][0]
        sides = ["\n".join(texts) for texts in zip(*((s.source, s.target) for s, _ in parts), strict=True)]
        more = tuple("\n".join(texts) for texts in zip(*(m for _, m in parts), strict=True))
        yield replace(first, source=sides[0], target=sides[1]), more


def _rewards(suite: SuiteSettings, found: Segment) -> list[Mapping[str, Any]]:
    if suite.rewards:
        return [entry.model_dump(exclude_none=True) for entry in suite.rewards]
    gate = {"source": found.source_language, "target": found.target_language}
    same = found.source_language.split("-")[0] == found.target_language.split("-")[0]
    chrf = {"kind": "chrf", "args": {"reference": found.target}}
    return [chrf] if same else [chrf, {"kind": "direction", "gate": True, "args": gate}]


def _chat(chosen: PromptSettings, text: str) -> list[dict[str, str]]:
    system = [{"role": "system", "content": chosen.system}] if chosen.system else []
    return [*system, {"role": "user", "content": text}]


def _choices(suite: SuiteSettings, folder: Path) -> Iterator[Prompt]:
    form = choice_form(suite)
    number = 0
    for given in suite.sources:
        source = given.below(folder)
        for place, row in islice(find_format(source).rows(source), source.limit):
            where = f"{source.file.name}{place}"
            question, choices = _question(row, suite.choice, where), _options(row, suite.choice, where)
            listed = "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, choices, strict=False))
            right = choices[_answer(row, suite.choice, choices, where)]
            text = filled(form.template, {"question": question, "choices": listed})
            yield prompt_of({
                "id": f"{suite.name}-{number:06}", "task": "choice", "messages": _chat(suite.prompt, text),
                "rewards": [{"kind": "exact_match", "args": {"reference": right}}], "reference": right,
                "choices": choices, "place": where,
            }, where)  # fmt: skip
            number += 1


def choice_form(suite: SuiteSettings) -> Form:
    """How a multiple-choice suite is asked."""
    return DEFAULT_CHOICE if suite.prompt.template is None else suite.prompt.resolved


def _question(row: Mapping[str, object], columns: ChoiceColumns, where: str) -> str:
    text = value_at(row, columns.question)
    if not text:
        raise InputError(f"{where} has no text in column {columns.question!r}; name it under choice.question")
    return text


def _options(row: Mapping[str, object], columns: ChoiceColumns, where: str) -> list[str]:
    found: object = row.get(columns.choices) if isinstance(columns.choices, str) else None
    if isinstance(found, Mapping):
        found = found.get("text")
    if not isinstance(columns.choices, str):
        found = [value_at(row, name) for name in columns.choices]
    if not isinstance(found, (list, tuple)) or len(found) < 2 or not all(isinstance(c, str) and c for c in found):
        raise InputError(f"{where}: {columns.choices!r} gives no list of two or more texts; name it as choice.choices")
    return [str(choice) for choice in found]


def _answer(row: Mapping[str, object], columns: ChoiceColumns, choices: Sequence[str], where: str) -> int:
    """The place of the right choice."""
    given = row.get(columns.answer)
    text = str(given).strip()
    letters = LETTERS[: len(choices)]
    if text in choices:
        return choices.index(text)
    if len(text) == 1 and text in letters:
        return letters.index(text)
    if text.isdecimal() and int(text) < len(choices):
        return int(text)
    raise InputError(
        f"{where}: answer {given!r:.40} is neither a choice, nor a letter to {letters[-1]}, nor a number to "
        f"{len(choices) - 1}; name its column as choice.answer"
    )
