"""Rows of Tower's tasks from files with columns: post-editing, marked errors, ratings, named entities, grammar.

    a row of JSON lines, CSV or TSV -> its columns (`labels` names them) -> the prompt of its task, with its reward

A column with a list (spans, tokens, tags) may hold it as JSON text, as tables do. Spans are tower-eval's and WMT's:
`{start, end, severity}` by character.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from dragoman.data.corpora.entities import tokens_and_tags
from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.formats.base import languages_of
from dragoman.data.corpora.segments import InputError
from dragoman.data.rows import Prompt, prompt_of
from dragoman.evaluation.suite_files.forms import filled
from dragoman.evaluation.suite_files.settings import SourceSettings, SuiteSettings
from dragoman.text.languages import LanguageError, language_name
from dragoman.text.tables import read_table

TEMPLATES: Mapping[str, str] = read_table(__file__)
Fields = dict[str, Any]
"""Columns of the prompt row"""


def annotated_prompts(suite: SuiteSettings, folder: Path) -> Iterator[Prompt]:
    """The prompts of a suite of one of these tasks."""
    template = suite.prompt.template or TEMPLATES[suite.task]
    number = 0
    for given in suite.sources:
        source = given.below(folder)
        for place, row in islice(find_format(source).rows(source), source.limit):
            where = f"{source.file.name}{place}"
            asked = _Row(row, suite, source, where)
            columns = _TASKS[suite.task](asked)
            rewards = columns.pop("rewards")
            if suite.rewards:
                rewards = [entry.model_dump(exclude_none=True) for entry in suite.rewards]
            text = filled(template, _fields(columns, asked))
            system = [{"role": "system", "content": suite.prompt.system}] if suite.prompt.system else []
            yield prompt_of({
                "id": f"{suite.name}-{number:06}", "task": suite.task, "rewards": rewards, "place": where,
                "messages": [*system, {"role": "user", "content": text}], **columns,
            }, where)  # fmt: skip
            number += 1


class _Row:
    """A row of a file, its columns by the names that the suite gives them."""

    def __init__(self, row: Mapping[str, object], suite: SuiteSettings, source: SourceSettings, where: str) -> None:
        self._row, self.suite, self._source, self.where = row, suite, source, where

    def value(self, name: str) -> object:
        """What stands in a column; None where it is missing."""
        value: object = self._row
        for part in str(getattr(self.suite.labels, name)).split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.value(name)
        if not isinstance(value, str) or not value.strip():
            raise self.lacks(name, "no text")
        return value

    def listed(self, name: str) -> list[Any] | None:
        """A list, or JSON that says one; None where the column is missing."""
        value = self.value(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise self.lacks(name, "no list and no JSON of one") from None
        if value is not None and not isinstance(value, list):
            raise self.lacks(name, "no list")
        return value

    def texts(self, name: str) -> list[str]:
        """One text, or a list of them."""
        value = self.value(name)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not found or not all(isinstance(t, str) and t.strip() for t in found):
            raise self.lacks(name, "no text")
        return found

    def number(self, name: str) -> float:
        """A number, or a text that is one."""
        value = self.value(name)
        try:
            return float(value) if isinstance(value, (int, float, str)) else float("nan")
        except ValueError:
            raise self.lacks(name, "no number") from None

    def lacks(self, name: str, what: str) -> InputError:
        """The sentence about a column that cannot be used."""
        column = getattr(self.suite.labels, name)
        return InputError(f"{self.where} has {what} in column {column!r}; name the right one as labels.{name}")

    def languages(self) -> tuple[str, str]:
        """Source and target language."""
        stated = self.value("source_language"), self.value("target_language")
        source, target = stated if all(isinstance(code, str) for code in stated) else languages_of(self._source)
        for code in (str(source), str(target)):
            try:
                language_name(code)
            except LanguageError as error:
                raise InputError(f"{self.where}: {error}") from None
        return str(source), str(target)

    def names(self) -> dict[str, str]:
        """What templates may say of the languages; a task in one language has none."""
        if self.suite.task in ("named_entities", "grammar", "pairwise"):
            return {}
        source, target = self.languages()
        return {
            "source_language": language_name(source), "target_language": language_name(target),
            "source_code": source, "target_code": target,
        }  # fmt: skip


def _fields(columns: Fields, row: _Row) -> dict[str, str]:
    """What a template may hold."""
    shown = {**columns, **row.names()}
    if "source_text" in columns:  # as `source` it would make a translation of the row, whose reference is checked
        shown["source"] = columns["source_text"]
    if row.suite.task == "named_entities":
        shown["types"] = ", ".join(row.suite.types or sorted({str(tag)[2:] for tag in columns["tags"]} - {""}))
    return {name: _shown(value) for name, value in shown.items()}


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pair_columns(row: _Row) -> Fields:
    source, target = row.languages()
    return {"source_language": source, "target_language": target}


def _post_editing(row: _Row) -> Fields:
    references = row.texts("reference")
    columns = _pair_columns(row)
    gate = {"source": columns["source_language"], "target": columns["target_language"]}
    return {
        **columns, "source": row.text("source"), "draft": row.text("draft"), "reference": references[0],
        "more_references": references[1:],
        "rewards": [{"kind": "chrf", "args": {"reference": references}}, {"kind": "direction", "args": gate}],
    }  # fmt: skip


def _error_spans(row: _Row) -> Fields:
    spans = row.listed("spans")
    if spans is None:
        raise row.lacks("spans", "nothing")
    return {
        **_pair_columns(row), "source_text": row.text("source"), "translation": row.text("translation"), "spans": spans,
        "reference": json.dumps(spans, ensure_ascii=False), "rewards": [{"kind": "error_spans"}],
    }  # fmt: skip


def _quality(row: _Row) -> Fields:
    low, high = row.suite.scale
    gold = row.number("score")
    return {
        **_pair_columns(row), "source_text": row.text("source"), "translation": row.text("translation"),
        "gold": gold, "low": low, "high": high, "reference": f"{gold:g}",
        "rewards": [{"kind": "rating"}],
    }  # fmt: skip


def _named_entities(row: _Row) -> Fields:
    columns = {"tagged": row.value("tagged"), "tokens": row.listed("tokens"), "tags": row.listed("tags")}
    if not isinstance(columns["tagged"], str) and not columns["tokens"]:
        raise row.lacks("tokens", "no list of tokens")
    tokens, tags = tokens_and_tags(columns, row.where)
    counted = {"types": list(row.suite.types)} if row.suite.types else {}
    return {
        "tokens": tokens, "tags": tags, "sentence": " ".join(map(str, tokens)), **counted,
        "reference": json.dumps(list(zip(tokens, tags, strict=False)), ensure_ascii=False),
        "rewards": [{"kind": "named_entities"}],
    }  # fmt: skip


def _grammar(row: _Row) -> Fields:
    references = row.texts("reference")
    return {
        "source": row.text("source"), "reference": references[0], "more_references": references[1:],
        "rewards": [{"kind": "edits", "args": {"reference": references}}],
    }  # fmt: skip


def _pairwise(row: _Row) -> Fields:
    return {"question": row.text("prompt"), "baseline": row.text("baseline"), "rewards": []}


_TASKS: dict[str, Callable[[_Row], Fields]] = {
    "post_editing": _post_editing, "error_spans": _error_spans, "quality": _quality,
    "named_entities": _named_entities, "grammar": _grammar, "pairwise": _pairwise,
}  # fmt: skip
