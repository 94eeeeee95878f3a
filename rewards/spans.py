"""For rewards that say where: how much a fault weighs, where an answer's final part begins, where a quotation stands.

    response -> final_part -> the text to judge and its offset -> Span(offset + start, offset + end, value)

Values follow MQM's weights (Freitag et al. 2021, arXiv 2104.14478: major 5, minor 1; XCOMET, arXiv 2310.10482: critical
10), a fifth of each, so that a major fault is -1: as much as one standard deviation of a group's rewards.
"""

from collections.abc import Iterable

from rewards.records import Span

SEVERITY = {"minor": -0.2, "major": -1.0, "critical": -2.0}
"""Values of spans by the severity that MQM and XCOMET give"""
_THOUGHT_START, _THOUGHT_END = "<think>", "</think>"


def final_part(response: str) -> tuple[str, int]:
    """What follows the thinking part, and at which character of the response it begins.

    A thinking part that is never closed leaves nothing.
    """
    offset = response.rfind(_THOUGHT_END) + len(_THOUGHT_END) if _THOUGHT_END in response else 0
    if not offset and response.lstrip().startswith(_THOUGHT_START):
        offset = len(response)
    return response[offset:], offset


def quoted_spans(response: str, quotations: Iterable[tuple[str, float, str]], offset: int = 0) -> tuple[Span, ...]:
    """Spans of pieces that a judge quoted: (text, value, label) each.

    A text that is quoted again is its next occurrence, in the order given (as in TowerEval); one that the response does
    not have, or not so often, is dropped. `offset` is where the part that the judge saw begins.
    """
    found, after = [], dict[str, int]()
    for text, value, label in quotations:
        start = response.find(text, after.get(text, offset)) if text else -1
        if start >= 0:
            after[text] = start + len(text)
            found.append(Span(start, after[text], value, label))
    return tuple(found)
