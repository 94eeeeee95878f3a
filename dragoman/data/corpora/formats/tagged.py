"""Text whose tokens are tagged, a token a line: CoNLL's columns (2002 and 2003), as IOB and BIO files have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dragoman.data.corpora.formats.base import Format, PlacedRow, register_format
from dragoman.data.corpora.segments import InputError, Segment
from dragoman.data.readers.texts import each_line

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings

DOCUMENT = "-DOCSTART-"
COMMENT = "# id "
"""How MultiCoNER begins a sentence"""


class Conll(Format):
    """A sentence a block of lines, its token in the first column and its tag in the last one; no parallel text."""

    name = "conll"
    suffixes: ClassVar[tuple[str, ...]] = (".conll", ".bio", ".iob", ".iob2")

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        raise InputError(f"{asked.path} holds tagged tokens and no translations; name it in data.sizes.entities")

    def rows(self, asked: InputSettings) -> Iterator[PlacedRow]:
        """`tokens` and `tags` of each sentence, placed at its first line."""
        begins, pairs = 0, list[tuple[str, str]]()
        for number, line in enumerate(each_line(asked.file), start=1):
            columns = line.split()
            if columns and columns[0] != DOCUMENT and not line.startswith(COMMENT):
                if len(columns) == 1:
                    raise InputError(
                        f"{asked.path}:{number} has one column; write a token and its tag, with a space or tab between"
                    )
                begins = begins or number
                pairs.append((columns[0], columns[-1]))
            elif pairs:
                yield _row(begins, pairs)
                begins, pairs = 0, []
        if pairs:
            yield _row(begins, pairs)


def _row(number: int, pairs: list[tuple[str, str]]) -> PlacedRow:
    tokens, tags = zip(*pairs, strict=True)
    return f":{number}", {"tokens": list(tokens), "tags": list(tags)}


register_format(Conll())
