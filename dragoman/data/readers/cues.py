"""The cues of subtitles: SRT, SBV, WebVTT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TIMES = re.compile(r"(\d+):(\d\d):(\d\d)[.,](\d{1,3})\s*(?:-->|,)\s*(\d+):(\d\d):(\d\d)[.,](\d{1,3})")
_SHORT = re.compile(r"(\d\d):(\d\d)\.(\d{3})\s*-->\s*(?:\d+:)?\d\d:\d\d\.\d{3}")
"""WebVTT without hours"""
LINE = re.compile(r"[^\n]*(?:\n|\Z)")


@dataclass(frozen=True)
class Cue:
    """What is shown at one time."""

    start_s: float
    line: int
    """Of its times, from 1"""
    lines: tuple[tuple[int, int], ...]
    """Where each line of its text begins and ends, white space around it left out"""

    def text(self, file: str) -> str:
        """Its lines as one."""
        return " ".join(file[start:end] for start, end in self.lines)


def cues(text: str) -> Iterator[Cue]:
    """The cues that have a text; one ends at an empty line, or where the times of the next stand."""
    start, begun, held = 0.0, 0, list[tuple[int, int]]()
    number = 0
    for match in LINE.finditer(text):
        number, line = number + 1, match[0].strip()
        seconds = _seconds(line)
        if seconds is None and line:
            if begun:
                place = match.start() + match[0].index(line)
                held.append((place, place + len(line)))
            continue
        if begun and held:
            yield Cue(start, begun, tuple(_without_number(text, held) if seconds is not None else held))
        begun, held = (number, []) if seconds is not None else (0, [])
        start = start if seconds is None else seconds
    if begun and held:
        yield Cue(start, begun, tuple(held))


def _without_number(text: str, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A number directly before the next times counts that cue, where no empty line stands between them."""
    start, end = lines[-1]
    return lines[:-1] if len(lines) > 1 and text[start:end].isdecimal() else lines


def _seconds(line: str) -> float | None:
    if match := _TIMES.search(line):
        hours, minutes, seconds, fraction = match.groups()[:4]
        return 3600 * int(hours) + 60 * int(minutes) + int(seconds) + int(fraction.ljust(3, "0")) / 1000
    if match := _SHORT.match(line):
        return 60 * int(match[1]) + int(match[2]) + int(match[3]) / 1000
    return None
