"""`builder: corpus`: parallel text of a team's own, filtered, as the files of every stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.funnel import Funnel
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.splits import split_segments
from dragoman.data.corpora.writing import stage_files
from dragoman.data.sources import Source, SourceError
from dragoman.files import write_json, write_lines

FUNNEL = "funnel.json"


class Corpus(Source[CorpusSizes]):
    """See the module note."""

    name = "corpus"
    settings_type = CorpusSizes

    def inputs(self, settings: CorpusSizes) -> Sequence[Path]:
        return [path for asked in settings.inputs for path in find_format(asked).paths(asked)]

    def write(self, folder: Path, seed: int, settings: CorpusSizes) -> None:
        if not settings.inputs:
            raise SourceError("data.sizes.inputs is empty; name at least one file with parallel text")
        funnel = Funnel(settings)
        pool = split_segments(funnel.run(read_inputs(settings)), seed)
        write_json(folder / FUNNEL, {"filters": [asdict(passage) for passage in funnel.passages]})
        if not pool:
            raise SourceError(told_empty(funnel))
        for name, rows in stage_files(pool, settings, seed).items():
            write_lines(folder / f"{name}.jsonl", rows)


def read_inputs(settings: CorpusSizes) -> Iterator[Segment]:
    """The segments of all inputs, one input after the other."""
    for asked in settings.inputs:
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
