"""`builder: corpus`: parallel text of a team's own, filtered, as the files of every stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dragoman.data.catalogs.identity import Split
from dragoman.data.corpora.entities import by_split, read_entities
from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.funnel import Funnel
from dragoman.data.corpora.general import general_files
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes, InputSettings
from dragoman.data.corpora.splits import Questions, split_numbers
from dragoman.data.corpora.store import SegmentStore, Stored, store_segments
from dragoman.data.corpora.writing import stage_files
from dragoman.data.rows import read_conversations
from dragoman.data.sources import Source, SourceError
from dragoman.files import write_json, write_lines

FUNNEL = "funnel.json"


class Corpus(Source[CorpusSizes]):
    """See the module note."""

    name = "corpus"
    settings_type = CorpusSizes

    def inputs(self, settings: CorpusSizes) -> Sequence[Path]:
        asked = (*settings.inputs, *settings.glossary, *settings.entities)
        return [path for one in asked for path in find_format(one).paths(one)] + general_files(settings.general)

    def write(self, folder: Path, seed: int, settings: CorpusSizes) -> None:
        if not settings.inputs:
            raise SourceError("data.sizes.inputs is empty; name at least one file with parallel text")
        for path in general_files(settings.general):
            read_conversations(path)  # what is wrong in it is said before anything is filtered
        entities = by_split(read_entities(settings.entities), seed)
        terms, funnel, questions = glossary_funnel(settings), Funnel(settings), Questions()
        glossary = list(terms.run(read_inputs(settings.glossary)))
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as aside:
            passed = questions.heard(funnel.run(read_inputs(settings.inputs)))
            store = store_segments(Path(aside) / "segments.arrow", passed)
            told = {"filters": funnel, **({"glossary": terms} if settings.glossary else {})}
            write_json(folder / FUNNEL, {name: list(map(asdict, one.passages)) for name, one in told.items()})
            if not len(store):
                raise SourceError(told_empty(funnel))
            for name, rows in stage_files(pool_of(store, questions, seed), settings, seed, glossary, entities).items():
                _write(folder / f"{name}.jsonl", iter(rows))


def glossary_funnel(settings: CorpusSizes) -> Funnel:
    """What a term must pass: most filters say nothing of a word or two, which may be its own translation."""
    return Funnel(settings.model_copy(update={"filters": ("empty", "encoding", "length")}))


def pool_of(store: SegmentStore, questions: Questions, seed: int) -> dict[Split, Stored]:
    """The segments of every split."""
    names = questions.names()
    splits = split_numbers(names, seed)
    return {split: Stored(store, found, np.zeros(len(found), np.bool_), names) for split, found in splits.items()}


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    """No file where there are no rows."""
    first = next(rows, None)
    if first is not None:
        write_lines(path, chain([first], rows))


def read_inputs(inputs: Sequence[InputSettings]) -> Iterator[Segment]:
    """The segments of all inputs, one input after the other."""
    for asked in inputs:
        yield from islice(find_format(asked).read(asked), asked.limit)


def told_empty(funnel: Funnel) -> str:
    """Why nothing is left, in a sentence."""
    taker = funnel.emptied_by()
    if taker is None:
        return "the inputs of data.sizes hold no segment; look at their states and languages"
    first = taker.samples[0]
    return (
        f"nothing is left of the inputs: filter {taker.name!r} left out all {taker.came} that came to it, the first "
        f"{first.place} ({first.reason}); {FUNNEL} has more, data.sizes.filters leaves filters out"
    )


CORPUS = Corpus()
