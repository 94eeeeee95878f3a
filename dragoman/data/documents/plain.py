"""Text line by line, and subtitles cue by cue. Neither can mark a translation: those with a fault are listed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from dragoman.data.documents.base import Answer, Asked, Document, DocumentFormat, Slot, register_document
from dragoman.data.readers.cues import LINE, cues
from dragoman.data.readers.texts import FileText, decoded, file_text, spliced

_SPEAKER = re.compile(r"\s*[-–—]\s*\S")


class PlainText(DocumentFormat):
    """A line is a text; empty lines stay. A line ends at a line feed and nowhere else."""

    name = "text"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)

    def open(self, asked: Asked) -> Document:
        return Pieces(file_text(asked.path), _lines)


class SubtitleText(DocumentFormat):
    """A cue is a text, written on as many lines as it had; of a dialogue (`- Yes?`) each line is one."""

    name = "subtitles"
    suffixes: ClassVar[tuple[str, ...]] = (".srt", ".vtt", ".sbv")

    def open(self, asked: Asked) -> Document:
        return Pieces(file_text(asked.path), _cues)


class Pieces(Document):
    """Pieces of a text, each replaced as a whole."""

    def __init__(self, file: FileText, cut: Callable[[str], Iterable[tuple[int, int]]]) -> None:
        self.file = file
        self.places = list(cut(file.text))
        self.slots = list(self._slots())

    def filled(self, answers: Sequence[Answer | None]) -> bytes:
        """As `Document.filled`."""
        changes = [
            (start, end, _laid_out(answer.text, self.file.text[start:end]))
            for (start, end), answer in zip(self.places, answers, strict=True)
            if answer is not None
        ]
        return self.file.bytes_with(spliced(self.file.text, changes))

    def _slots(self) -> Iterator[Slot]:
        number, done = 1, 0
        for start, end in self.places:
            number, done = number + self.file.text.count("\n", done, start), start
            yield Slot(f":{number}", " ".join(line.strip() for line in self.file.text[start:end].split("\n")))


def text_document(content: bytes, name: str) -> Document:
    """The lines of a text that is no file."""
    return Pieces(decoded(content, name), _lines)


def is_document(path: Path) -> bool:
    """Whether what was given to translate names a file."""
    try:
        return path.is_file()
    except OSError:  # a text that is too long for a name
        return False


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Where the text of each line that has some begins and ends."""
    for match in LINE.finditer(text):
        if line := match[0].strip():
            start = match.start() + match[0].index(line)
            yield start, start + len(line)


def _cues(text: str) -> Iterator[tuple[int, int]]:
    """Where the text of each cue begins and ends; of a dialogue, that of each line."""
    for cue in cues(text):
        if any(_SPEAKER.match(text[start:end]) for start, end in cue.lines):
            yield from cue.lines
        else:
            yield cue.lines[0][0], cue.lines[-1][1]


def _laid_out(answer: str, original: str) -> str:
    """An answer on as many lines as the original, about equally long."""
    count = original.count("\n") + 1
    text = " ".join(answer.split("\n"))
    if count == 1:
        return text
    width = -(-len(text) // count)
    while len(lines := textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)) > count:
        width += 1
    return ("\r\n" if "\r\n" in original else "\n").join(lines)


register_document(PlainText())
register_document(SubtitleText())
