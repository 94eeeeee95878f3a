"""Rows of `task: perplexity`: plain texts, a line a text, or a column of JSON lines, CSV or TSV."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.formats.base import value_at
from dragoman.data.corpora.segments import InputError
from dragoman.data.readers.texts import lines_of
from dragoman.data.rows import Prompt, prompt_of
from dragoman.evaluation.suite_files.settings import SourceSettings, SuiteSettings


def plain_texts(suite: SuiteSettings, folder: Path) -> Iterator[Prompt]:
    """A prompt for each text; InputError for a row without one, or without a language."""
    number = 0
    for given in suite.sources:
        source = given.below(folder)
        for where, text, language in islice(_texts(source, suite), source.limit):
            yield prompt_of({
                "id": f"{suite.name}-{number:06}", "task": "perplexity", "language": language, "reference": text,
                "messages": [{"role": "user", "content": text}], "place": where,
                "rewards": [{"kind": "exact_match", "args": {"reference": text}}],
            }, where)  # fmt: skip
            number += 1


def _texts(source: SourceSettings, suite: SuiteSettings) -> Iterator[tuple[str, str, str]]:
    """Place, text and language."""
    if source.format == "moses":
        language = _language(source, None, source.file.name)
        for number, line in enumerate(lines_of(source.file), start=1):
            if line.strip():
                yield f"{source.file.name}:{number}", line, language
        return
    for place, row in find_format(source).rows(source):
        where = f"{source.file.name}{place}"
        text = value_at(row, suite.labels.text)
        if not text or not text.strip():
            raise InputError(f"{where} has no text in column {suite.labels.text!r}; name the right one as labels.text")
        yield where, text, _language(source, value_at(row, suite.labels.language), where)


def _language(source: SourceSettings, stated: str | None, where: str) -> str:
    language = stated or source.language
    if language is None:
        raise InputError(f"{where} says no language; add language: to its source, or a column as labels.language")
    return language
