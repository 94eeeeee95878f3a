"""Find the one answer a response commits itself to.

`boxed` takes the content of \\boxed{...} (also \\fbox). `last_number` takes the last expression of the text, whole
(expressions.py). `auto` takes the box when there is one. What stands before `</think>` is no answer. A response that
offers several answers (two boxes with different content, `7 or 8` in its final sentence) has not given one of them:
guessing twice must not pay.
"""

import re
from dataclasses import dataclass

from dragoman.text.numerals import normalise_digits
from rewards.mathematics.expressions import last_expression

EXTRACTIONS = ("auto", "boxed", "last_number")
TAIL_CHARACTERS = 4000

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE_OR_ESCAPE = re.compile(r"\\.|[{}]", re.DOTALL)
_THOUGHT_END = "</think>"


@dataclass(frozen=True)
class Extracted:
    """The answer, or why there is none."""

    answer: str | None
    problem: str = ""


def extract(response: str, extraction: str = "auto") -> Extracted:
    """The answer meant by the response, according to one of `EXTRACTIONS`."""
    if extraction not in EXTRACTIONS:
        raise ValueError(f"extraction is {extraction!r}; it must be one of {', '.join(EXTRACTIONS)}")
    text = normalise_digits(response.rpartition(_THOUGHT_END)[2])
    if extraction != "last_number":
        boxes = boxed_contents(text)
        if boxes:
            return _single_box(boxes)
        if extraction == "boxed" or _BOX.search(text):
            return Extracted(None, "no complete \\boxed{...} in the response")
    last = last_expression(text[-TAIL_CHARACTERS:])
    return Extracted(None, "no number in the response") if last is None else Extracted(last)


def boxed_contents(text: str) -> list[str]:
    """Contents of every closed box, outermost only, in order."""
    contents: list[str] = []
    position = 0
    while (match := _BOX.search(text, position)) is not None:
        end = _closing_brace(text, match.end())
        if end is None:
            break
        contents.append(text[match.end() : end].strip())
        position = end + 1
    return contents


def _single_box(boxes: list[str]) -> Extracted:
    if len({"".join(box.split()) for box in boxes}) > 1:
        return Extracted(None, f"{len(boxes)} boxes with different answers")
    return Extracted(boxes[-1]) if boxes[-1] else Extracted(None, "the box is empty")


def _closing_brace(text: str, start: int) -> int | None:
    depth = 1
    for found in _BRACE_OR_ESCAPE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return None
